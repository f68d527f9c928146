import zlib
from dataclasses import replace

import pytest

from sparring.attacks import InnerProduct
from sparring.defenses import SynthesisActions
from sparring.defenses.learned.actions import DefenseActions
from sparring.errors import ConfigError
from sparring.federation import Attacker
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.games.federated import (
    ATTACKER,
    AttackType,
    DefenderTerms,
    DomainType,
    FederatedGame,
    TypedGame,
    typed_games,
)
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.search import ConstantActions, CountTable, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.learning.yardstick import (
    YardstickSettings,
    constant_returns,
    defender_tasks,
    measure_yardstick,
    search_constant,
)
from tests.games.federated.domains import ADAPTIVE, rooted
from tests.learning.constants import always

DOMAIN = {"none": DomainType(AttackType(())), "ipm": DomainType(AttackType((Attacker(4, InnerProduct(5.0)),)))}
WEIGHTS = {"none": 1.0, "ipm": 1.0}
SPACES = {"published": DefenseActions(repair="none"), "synthesis": SynthesisActions(repair="none")}
SEARCH = CrossEntropySearch(ConstantActions(), candidates=8, elites=3, episodes=1, trials=2, kept=3, deviation=0.5)
EXACT = {"early": Thresholds(steps={1: -0.8}, rounds=5), "late": Thresholds(steps={1: 0.6}, rounds=5)}
EXACT_TASKS = {name: LearningTask(game, SEAT) for name, game in EXACT.items()}


class Shuffled(FederatedGame):
    """Every reward belongs to another action: it is drawn by the digest of the model."""

    def reward(self, before, after, *, seat):
        return zlib.crc32(after.federation.parameters.numpy().tobytes()) / 2**32


def tasks(space, *, kind=FederatedGame):
    """Return the defender's tasks against both types, in games of one kind."""
    given = typed_games(rooted(), DOMAIN, DefenderTerms(SPACES[space], rounds=4))
    games = {name: typed.game for name, typed in given.items()}
    made = {name: kind(game.scenario, game.domain, game.roles, game.rounds) for name, game in games.items()}
    return defender_tasks({name: TypedGame(game, 1.0) for name, game in made.items()})


def undefended(space):
    """Return the constant that hardly clips, does not trim and does not trust root data."""
    return (1.0, -1.0, -1.0, -1.0, 0.0, 0.0)[: SPACES[space].size]


def gain_over_start(space, *, kind=FederatedGame):
    """Return by how much the constant that a search finds against IPM beats the one that it starts from."""
    start = undefended(space)
    settings = YardstickSettings(replace(SEARCH, start=start))
    found = search_constant(tasks(space, kind=kind)["ipm"], settings, steps=250, seed=0)
    judged = {"ipm": tasks(space)["ipm"]}
    better, worse = (constant_returns(judged, each, episodes=4, seed=1)["ipm"] for each in (found, start))
    return better - worse


@pytest.mark.parametrize("space", [*SPACES])
def test_it_beats_a_bad_constant_and_shuffled_rewards_do_not(space):
    right = gain_over_start(space)
    wrong = gain_over_start(space, kind=Shuffled)
    assert right > 1
    assert wrong < 0.3


def test_it_is_measured_on_a_domain_of_federations():
    settings = YardstickSettings(replace(SEARCH, start=undefended("published")), steps=100, episodes=1)
    found = measure_yardstick(tasks("published"), WEIGHTS, settings, seed=0)
    assert found.overall.returns.keys() == found.by_type.keys() == DOMAIN.keys()
    bad = constant_returns(tasks("published"), undefended("published"), episodes=1, seed=0)
    assert sum(found.overall.returns.values()) > sum(bad.values()) + 1


def test_it_finds_the_best_against_each_type_and_the_best_compromise():
    found = measure_yardstick(EXACT_TASKS, {"early": 1.0, "late": 3.0}, YardstickSettings(steps=600), seed=0)
    assert found.by_type["early"].action[0] == pytest.approx(-0.8, abs=0.05)
    assert found.by_type["late"].action[0] == pytest.approx(0.6, abs=0.1)
    assert found.overall.action[0] == pytest.approx(0.6, abs=0.1)
    assert found.regrets["early"] == pytest.approx(3.5, abs=0.5)
    assert found.regrets["late"] == pytest.approx(0, abs=0.2)


def test_over_the_worst_type_it_is_the_middle():
    settings = YardstickSettings(steps=600, over="worst")
    found = measure_yardstick(EXACT_TASKS, {"early": 1.0, "late": 3.0}, settings, seed=0)
    assert found.overall.action[0] == pytest.approx(-0.1, abs=0.05)


def test_returns_are_those_of_a_policy_in_the_same_episodes():
    found = measure_yardstick(EXACT_TASKS, {"early": 1.0, "late": 1.0}, YardstickSettings(steps=100), seed=3)
    policy = always(*found.overall.action)
    for name, task in EXACT_TASKS.items():
        assert found.overall.returns[name] == evaluate_policy(task, policy, episodes=4, seed=3)


def test_a_follower_plays_its_policy_and_one_without_is_refused():
    given = typed_games(rooted(), {"rl": ADAPTIVE}, DefenderTerms(SPACES["published"], rounds=3))
    policy = always(1, 1, -1)
    task = defender_tasks(given, {"rl": policy})["rl"]
    assert task.opponents == {ATTACKER: policy}
    assert constant_returns({"rl": task}, (0.0, 0.0), episodes=1, seed=0)["rl"] > 0
    with pytest.raises(ConfigError, match="^domain type 'rl' is adaptive and has no policy; train one"):
        defender_tasks(given)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"episodes": 0}, "episodes"),
        ({"search": CrossEntropySearch(CountTable(10))}, "yardstick.search searches CountTable; give a"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        YardstickSettings(**wrong)
