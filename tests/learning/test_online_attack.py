from dataclasses import replace

import pytest

from sparring.attacks import SearchRanges, TrainedAttack
from sparring.attacks.learned.trained_attack import save_attack
from sparring.errors import ConfigError
from sparring.games.federated import ATTACKER, attack_game, world_model
from sparring.learning.online_attack import Schedule, Worlds, rehearse
from sparring.learning.reinforcement import Arena, TD3Settings
from sparring.learning.trial import mean_return
from tests.games.federated.playing import EXAMPLES, scenario

RANGES = SearchRanges(scale=(0, 4), steps=(1, 3))
SETTINGS = TD3Settings(hidden=(8,), batch=8, buffer=200, warmup=5)
SCHEDULE = Schedule(attacks_from=4, learns_until=12, pace=5, renewed=4)


@pytest.fixture(scope="module")
def worlds():
    real = scenario()
    halves = [type(EXAMPLES)(*(part[half] for part in EXAMPLES)) for half in (slice(0, 20), slice(None))]
    games = [attack_game(world_model(real, half), malicious=4, acting=RANGES, rounds=6, layers=None) for half in halves]
    return Worlds(*(Arena(game, ATTACKER) for game in games))


def rehearsed(worlds, start=None, *, schedule=SCHEDULE):
    untrained = TrainedAttack((), RANGES, layers=None, examples=EXAMPLES)
    return list(rehearse(worlds, untrained, settings=SETTINGS, schedule=schedule, seed=0, start=start))


def written(attack, folder):
    save_attack(folder / "policy", attack)
    return (folder / "policy").read_bytes()


def test_policies_come_at_the_pace_of_the_real_rounds(worlds):
    *_, last = rehearsed(worlds)
    assert [since for since, _ in last.attack.policies] == [4, 8, 12]
    assert last.steps == 12 * 5


def test_each_snapshot_leads_to_the_same_attack(worlds, tmp_path):
    stages = rehearsed(worlds)
    for stage in stages[:-1]:
        assert written(rehearsed(worlds, stage.packed)[-1].attack, tmp_path) == written(stages[-1].attack, tmp_path)


def test_after_the_attack_has_begun_the_learned_world_is_rehearsed_in(worlds):
    own_only = rehearsed(Worlds(worlds.own, worlds.own))
    both = rehearsed(worlds)
    assert own_only[0].returns == both[0].returns
    assert own_only[-1].returns != both[-1].returns


def test_with_trials_only_a_policy_enters_that_does_as_well_as_those_before_it_in_its_world(worlds, tmp_path):
    picky = replace(SCHEDULE, trials=2, renewed=1)
    stages = rehearsed(worlds, schedule=picky)
    every_one = rehearsed(worlds, schedule=replace(picky, trials=0))[-1].attack.policies
    kept = [
        (since, mean_return(worlds.own if since <= 4 else worlds.learned, policy, episodes=2, seed=0))
        for since, policy in stages[-1].attack.policies
    ]
    for world in (range(5), range(5, 13)):
        gains = [gained for since, gained in kept if since in world]
        assert gains == sorted(gains)
    assert 2 <= len(kept) < len(every_one)
    again = rehearsed(worlds, stages[5].packed, schedule=picky)
    assert written(again[-1].attack, tmp_path) == written(stages[-1].attack, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trials": -1}, "schedule.trials is -1; it must be at least 0"),
        ({"pace": 0}, "schedule.pace is 0; it must be at least 1"),
        ({"attacks_from": 500}, r"schedule.learns_until is 400; it must be at least attacks_from \(500\)"),
    ],
)
def test_schedules_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        Schedule(**settings)
