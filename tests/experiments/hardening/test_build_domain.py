import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import InnerProduct, LocalSearchActions, PoisonedTraining
from sparring.contracts import Model
from sparring.defenses import SynthesisActions
from sparring.errors import ConfigError
from sparring.experiments import parse_config
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.hardening.build_domain import TESTED, build_domain
from sparring.experiments.hardening.domain_settings import parse_domain
from sparring.games.federated import (
    ATTACKER,
    DEFENDER,
    BackdoorObjective,
    DefenderTerms,
    UntargetedObjective,
    follower_games,
    typed_games,
)
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.yardstick import defender_tasks
from tests.learning.constants import always

RUN = {
    "model": "logistic",
    "federation": {"clients": 10, "sampled": 5, "rounds": 2, "batch": 8},
    "data": {"root_size": 60},
}
CONFIG = parse_config(RUN)
DATA = load_dataset(CONFIG)
SCENARIO = build_scenario(CONFIG, DATA)
TERMS = DefenderTerms(SynthesisActions(repair="none"), rounds=2)


def built(given, data=DATA):
    return build_domain(parse_domain(given, RUN), data)


def refusal(types):
    with pytest.raises(ConfigError) as raised:
        built({"types": types})
    return str(raised.value)


def test_types_with_equal_worlds_share_one_federation():
    domain = built({"name": "harden", "types": {"few": {"federation": {"sampled": 2}}}})
    assert len({id(each.world) for each in domain.values()}) == 2
    assert domain["few"].world.sampled == 2
    assert domain["ipm+bfl"].kind.attackers[0].attack == InnerProduct(5.0)
    assert isinstance(domain["ipm+bfl"].backdoors[0], PoisonedTraining)


def test_worlds_of_other_heterogeneity_have_other_shards():
    domain = built("skew")
    largest = []
    for name in ("lmp at q = 0.1", "lmp at q = 1.0"):
        labels = domain[name].world.shards[3].labels
        largest.append(float(labels.bincount(minlength=10).max()) / len(labels))
    assert largest[0] < 0.3
    assert largest[1] > 0.9


@pytest.mark.parametrize("name", ["harden", "meta_rl"])
def test_each_type_of_a_domain_can_be_played(name):
    tasks = defender_tasks(typed_games(SCENARIO, built(name), TERMS))
    returns = {kind: evaluate_policy(task, always(*[0.0] * 6), episodes=1, seed=0) for kind, task in tasks.items()}
    assert all(0 <= each <= 2 for each in returns.values())
    assert len(set(returns.values())) == len(returns)


def test_adaptive_types_are_played_with_their_followers_and_learn_on_their_own_clients():
    domain = built("meta-SG")
    games = typed_games(SCENARIO, domain, TERMS)
    assert [*games["rl on Krum"].game.roles] == [DEFENDER, ATTACKER]
    for label, objective in (("rl on Krum", UntargetedObjective), ("brl on FLTrust + NeuroClip", BackdoorObjective)):
        role = games[label].game.roles[ATTACKER]
        assert isinstance(role.objective, objective)
        idle = always(*[-1.0] * role.space(SCENARIO.federation.network).action)
        task = defender_tasks({label: games[label]}, {label: idle})[label]
        assert evaluate_policy(task, always(*[0.0] * 6), episodes=1, seed=0) > 0
    assert domain["brl on Krum"].backdoors
    assert len(domain["rl on Krum"].follower.role.objective.examples.labels) <= TESTED
    fixed = follower_games(SCENARIO, domain, rounds=2)["brl on FLTrust + NeuroClip"].scenario
    assert (type(fixed.defense).__name__, type(fixed.repair).__name__) == ("FLTrust", "NeuroClip")


def test_labels_of_the_test_split_change_nothing():
    spoiled = DATA.__class__(**{**vars(DATA), "test": Batch(DATA.test.inputs, torch.zeros_like(DATA.test.labels))})
    model = Model(SCENARIO.federation.network, torch.linspace(-1, 1, SCENARIO.federation.network.size))
    values = []
    for data in (DATA, spoiled):
        games = typed_games(build_scenario(CONFIG, data), built("meta-SG+", data), TERMS)
        values.append({n: [r.objective.value(model) for r in g.game.roles.values()] for n, g in games.items()})
    assert values[0] == values[1]


def test_errors_name_the_type():
    assert refusal({"a": {"attack": {"name": "ipm", "malicious": 11}}}).startswith(
        "domain type 'a': attack.malicious is 11; there are 10 clients"
    )
    server = {"defense": {"name": "learned", "policy": "none.safetensors"}}
    follower = {"acting": "local_search", "malicious": 1, "against": server}
    assert refusal({"a": {"follower": follower}}).startswith("domain type 'a': ")


def test_a_follower_has_the_decoder_that_is_named():
    domain = built({"types": {"rl": {"follower": {"acting": {"name": "local_search", "numbers": 1}, "share": 0.3}}}})
    assert domain["rl"].follower.role.acting == LocalSearchActions(numbers=1)
    assert domain["rl"].kind.attackers[0].malicious == 3
