from dataclasses import replace

import pytest

from sparring.attacks import LocalSearchActions, attack_policy
from sparring.games.federated import ATTACKER, attack_game, world_model
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.online.schedule import OnlineSchedule
from sparring.learning.online.training import OnlineLearner, Worlds
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.learning.training_env import LearningTask
from sparring.policies import save_policy
from tests.games.federated.playing import EXAMPLES, scenario

RANGES = LocalSearchActions(scale=(0, 4), steps=(1, 3))
SETTINGS = TD3Settings(hidden=(8,), batch=8, buffer=200, warmup=5)
SCHEDULE = OnlineSchedule(attacks_from=4, learns_until=12, pace=5, renewed=4)


@pytest.fixture(scope="module")
def worlds():
    real = scenario()
    halves = [type(EXAMPLES)(*(part[half] for part in EXAMPLES)) for half in (slice(0, 20), slice(None))]
    games = [attack_game(world_model(real, half), malicious=4, acting=RANGES, rounds=6, layers=None) for half in halves]
    return Worlds(*(LearningTask(game, ATTACKER) for game in games))


def rehearsed(worlds, start=None, *, schedule=SCHEDULE, policies=()):
    untrained = attack_policy(policies, RANGES, layers=None, examples=EXAMPLES)
    learner = OnlineLearner(SB3Learner(SETTINGS), schedule, seed=0)
    codec = learner.codec(worlds)
    begun = None if start is None else codec.unpack(codec.pack(start))
    return list(learner.train(worlds, untrained, start=begun))


def written(attack, folder):
    save_policy(folder / "policy", attack)
    return (folder / "policy").read_bytes()


def test_policies_come_at_the_pace_of_the_real_rounds(worlds):
    *_, last = rehearsed(worlds)
    assert [since for since, _ in last.attack.versions] == [4, 8, 12]
    assert last.steps == 12 * 5


def test_learning_may_begin_later_than_the_training(worlds):
    later = replace(SCHEDULE, learns_from=2)
    *_, last = rehearsed(worlds, schedule=later)
    assert [since for since, _ in last.attack.versions] == [4, 8, 12]
    assert last.steps == later.steps(12) == 10 * 5
    assert later.steps(1) == 0


def test_who_learns_nothing_until_the_attack_begins_rehearses_in_the_learned_world_alone(worlds):
    late = replace(SCHEDULE, learns_from=4)
    only_learned = rehearsed(Worlds(None, worlds.learned), schedule=late)
    assert [since for since, _ in only_learned[-1].attack.versions] == [8, 12]
    assert only_learned[-1].steps == 8 * 5


def test_each_snapshot_leads_to_the_same_attack(worlds, tmp_path):
    stages = rehearsed(worlds)
    for stage in stages[:-1]:
        assert written(rehearsed(worlds, stage)[-1].attack, tmp_path) == written(stages[-1].attack, tmp_path)


def test_after_the_attack_has_begun_the_learned_world_is_rehearsed_in(worlds):
    own_only = rehearsed(Worlds(worlds.own, worlds.own))
    both = rehearsed(worlds)
    assert own_only[0].training.returns == both[0].training.returns
    assert own_only[-1].training.returns != both[-1].training.returns


def test_with_trials_only_a_policy_enters_that_does_as_well_as_those_before_it_in_its_world(worlds, tmp_path):
    picky = replace(SCHEDULE, trials=2, renewed=1)
    stages = rehearsed(worlds, schedule=picky)
    every_one = rehearsed(worlds, schedule=replace(picky, trials=0))[-1].attack.versions
    kept = [
        (since, evaluate_policy(worlds.own if since <= 4 else worlds.learned, policy, episodes=2, seed=0))
        for since, policy in stages[-1].attack.versions
    ]
    for world in (range(5), range(5, 13)):
        gains = [gained for since, gained in kept if since in world]
        assert gains == sorted(gains)
    assert 2 <= len(kept) < len(every_one)
    for place in (3, 5):  # at the end of a world, and within one
        again = rehearsed(worlds, stages[place], schedule=picky)
        assert written(again[-1].attack, tmp_path) == written(stages[-1].attack, tmp_path)


def test_each_stage_tells_what_is_gained_on_trial(worlds):
    picky = replace(SCHEDULE, trials=2, renewed=1)
    stages = rehearsed(worlds, schedule=picky)
    assert all(stage.best >= stage.trials[-1].gained for stage in stages)
    for stage in stages:
        world = worlds.own if stage.steps <= picky.steps(4) else worlds.learned
        assert stage.best == evaluate_policy(world, stage.attack.versions[-1].policy, episodes=2, seed=0)


def test_without_trials_nothing_is_gained(worlds):
    assert {(stage.trials[-1].gained, stage.best) for stage in rehearsed(worlds)} == {(0.0, 0.0)}


def test_a_policy_that_is_there_already_is_only_replaced_by_one_that_does_as_well(worlds):
    picky = replace(SCHEDULE, trials=2)
    first = rehearsed(worlds)[-1].attack.versions[-1]._replace(since=0)
    stages = rehearsed(worlds, schedule=picky, policies=(first,))
    assert stages[-1].attack.versions[0].since == 0
    before = evaluate_policy(worlds.own, first.policy, episodes=2, seed=0)
    assert stages[0].best == max(before, stages[0].trials[-1].gained)
    assert (len(stages[0].attack.versions) == 2) is (stages[0].trials[-1].gained >= before)
