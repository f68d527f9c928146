from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import InnerProduct, PoisonedSearchActions
from sparring.contracts import Model
from sparring.defenses import Median, SynthesisActions
from sparring.defenses.learned.actions import DefenseActions
from sparring.errors import ConfigError
from sparring.federation import Attacker
from sparring.games.federated import ATTACKER, DEFENDER, AttackType, DomainType, follower_games, typed_games
from sparring.models import Mlp, network
from sparring.random import stream
from tests.federation.backdooring import Lever
from tests.games.federated.domains import ADAPTIVE, BACKDOOR, DATA, DOMAIN, IPM, ROLE, ROOT, TERMS, rooted
from tests.games.federated.playing import action
from tests.settings import Facts

KEEP = action(0.5, -1)
SPOILED = Batch(DATA.test.inputs, 2 - DATA.test.labels)
WIDE = replace(rooted().federation, network=network(Mlp(hidden=6), Facts(shape=(4,), classes=3)))


def played(game, seed=0):
    """Return the rewards and observations of an episode under one action."""
    state, rng, found = game.initial(stream(seed)), stream(seed, "moves"), []
    while not game.is_over(state):
        acts = {DEFENDER: KEEP} | ({ATTACKER: action(1, 1, -1)} if ATTACKER in game.roles else {})
        after = game.transition(state, acts, rng=rng)
        found.append((game.reward(state, after, seat=DEFENDER), game.observe(after, DEFENDER).tolist()))
        state = after
    return found


def test_each_type_has_a_game_of_its_own_with_its_weight():
    games = typed_games(rooted(), DOMAIN, TERMS)
    assert {name: typed.weight for name, typed in games.items()} == {"none": 1, "ipm": 3, "backdoor": 1, "rl": 1}
    assert [name for name, typed in games.items() if typed.is_adaptive] == ["rl"]
    returns = {name: sum(gain for gain, _ in played(typed.game)) for name, typed in games.items()}
    assert returns["ipm"] < returns["none"]
    assert returns["backdoor"] < returns["none"]


def test_a_type_of_weight_zero_can_be_played():
    held_out = replace(IPM, kind=replace(IPM.kind, weight=0.0))
    games = typed_games(rooted(), {"none": DOMAIN["none"], "ipm": held_out}, TERMS)
    assert games["ipm"].weight == 0
    assert len(played(games["ipm"].game)) == 3


def test_no_game_sees_the_test_split():
    fair, spoiled = (typed_games(rooted(test=test), DOMAIN, TERMS) for test in (DATA.test, SPOILED))
    for name in DOMAIN:
        assert played(fair[name].game) == played(spoiled[name].game)
        assert spoiled[name].game.scenario.federation.test is ROOT


def test_rewards_see_the_backdoors_of_the_own_type_unless_the_papers_text_is_wanted():
    classifier = rooted().federation.network
    model = Model(classifier, torch.linspace(-1, 1, classifier.size))
    seeing, blind = (
        {
            name: typed.game.roles[DEFENDER].objective.value(model)
            for name, typed in typed_games(rooted(), DOMAIN, replace(TERMS, sees_backdoors=sees)).items()
        }
        for sees in (True, False)
    )
    assert seeing["backdoor"] != seeing["none"] == seeing["ipm"] == blind["none"]
    assert len(set(blind.values())) == 1


def test_a_world_of_its_own_takes_the_place_of_the_scenarios():
    fewer = replace(rooted().federation, sampled=4, root=None)
    games = typed_games(rooted(), {"none": DOMAIN["none"], "few": replace(IPM, world=fewer)}, TERMS)
    assert games["few"].game.scenario.federation.sampled == 4
    assert games["none"].game.scenario.federation.sampled == 5
    assert games["few"].game.scenario.federation.root is ROOT


def test_a_follower_learns_against_its_fixed_rule_without_the_defender():
    games = follower_games(rooted(), DOMAIN, rounds=2)
    assert [*games] == ["rl"]
    assert [*games["rl"].seats] == [ATTACKER]
    assert games["rl"].scenario.defense == Median()


def test_the_backdoor_of_a_follower_is_prevented_like_a_fixed_one():
    acting = PoisonedSearchActions(target=1, classes=3)
    follower = replace(ADAPTIVE.follower, role=replace(ROLE, acting=acting))
    assert replace(BACKDOOR, follower=follower).backdoors == (Lever(), acting.backdoor)
    assert IPM.backdoors == ()


def test_a_pure_implanter_counts_its_backdoor_once():
    assert BACKDOOR.backdoors == (Lever(),)


@pytest.mark.parametrize("acting", [DefenseActions(), SynthesisActions(repair="none")])
def test_every_action_space_has_games(acting):
    games = typed_games(rooted(), {"ipm": IPM}, replace(TERMS, acting=acting))
    assert games["ipm"].game.seats[DEFENDER].action == acting.size


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({}, "domain: the weights of its 0 types sum to 0; give one a positive weight"),
        ({"ipm": replace(IPM, kind=replace(IPM.kind, weight=0.0))}, "domain: the weights of its 1 types sum to 0"),
        (
            {"ipm": DomainType(AttackType((Attacker(11, InnerProduct(2.0)),)))},
            "domain type 'ipm': attack.malicious is 11; there are 10 clients",
        ),
        (
            {"none": DOMAIN["none"], "wide": replace(IPM, world=WIDE)},
            "domain type 'wide': a defender observes 21 numbers in its world, 15 in that of 'none'",
        ),
    ],
)
def test_a_domain_that_cannot_be_played_is_refused(domain, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        typed_games(rooted(), domain, TERMS)


def test_without_root_data_nothing_can_be_gained():
    poor = replace(rooted(), federation=replace(rooted().federation, root=None))
    with pytest.raises(ConfigError, match="^domain: a defender's reward needs root data; use data.root_size >= 1$"):
        typed_games(poor, DOMAIN, TERMS)


def test_the_observation_is_the_same_under_every_type():
    games = typed_games(rooted(), DOMAIN, TERMS)
    seen = {name: typed.game.observe(typed.game.initial(stream(5)), DEFENDER).tolist() for name, typed in games.items()}
    assert all(each == seen["none"] for each in seen.values())
