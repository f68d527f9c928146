"""A learned attack against the best plan, where that can be searched for: logistic regression with eight parameters.

All clients take part with all their examples, so that nothing is left to chance, and an action is a whole update.
"""

import pytest
import torch
from torch.func import grad, vmap

from sparring.arrays import Batch
from sparring.attacks.learned.acting import RawUpdateActions
from sparring.conformance.adversary import Facts
from sparring.contracts import Recipe
from sparring.data import Iid, divide
from sparring.defenses import Mean
from sparring.federation import Federation, Scenario, initial_state
from sparring.games.env import SeatEnv
from sparring.games.federated import ATTACKER, attack_game
from sparring.learning.actor_critic import ActorCritic, UpdateSettings
from sparring.learning.learner import train
from sparring.learning.sb3 import SB3Learner, TD3Settings
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.theory.open_loop_plans import PlanAscent, best_plan
from sparring.learning.training_env import LearningTask
from sparring.models import Logistic, network
from sparring.random import stream
from sparring.training import loss

CLIENTS, MALICIOUS, HELD, ROUNDS, LR, BOUND = 10, 2, 6, 3, 0.5, 2.0
SETTINGS = TD3Settings(hidden=(64, 64), batch=64, warmup=200, pace=1, discount=1.0, noise=0.3)


def examples() -> Batch:
    """Draw two classes of unequal size, the smaller with larger inputs."""
    rng = stream(0, "small federation")
    labels = rng.random(CLIENTS * HELD) < 0.25
    inputs = rng.random((len(labels), 3)) + 0.5 * labels[:, None]
    return Batch(torch.from_numpy(inputs).float(), torch.from_numpy(labels).long())


@pytest.fixture(scope="module")
def federation():
    every = examples()
    return Federation(
        network=network(Logistic(), Facts(classes=2)),
        shards=divide(every, Iid(), clients=CLIENTS, seed=0),
        test=every,
        sampled=CLIENTS,
        recipe=Recipe(steps=1, batch=HELD, lr=LR),
    )


@pytest.fixture(scope="module")
def game(federation):
    scenario = Scenario(federation, Mean())
    return attack_game(scenario, malicious=MALICIOUS, acting=RawUpdateActions(BOUND), rounds=ROUNDS, layers=None)


@pytest.fixture(scope="module")
def learned(game):
    """Train, and yield the policies before and after."""
    learner, task = SB3Learner(SETTINGS), LearningTask(game, ATTACKER)
    states = train(learner, task, steps=600, every=SETTINGS.warmup, seed=0)
    return [learner.policies(state, task)[ATTACKER] for state in states]


def returns(federation, plans):
    """Return what the game returns for plans, as a function that autograd can follow."""
    benign = [federation.shards[client] for client in range(MALICIOUS, CLIENTS)]
    pool = Batch(*map(torch.cat, zip(*benign, strict=True)))
    start = initial_state(federation).parameters

    def worth(parameters, batch):
        return loss(federation.network, parameters, batch=batch)

    parameters = start.expand(len(plans), -1)
    for actions in plans.unbind(dim=1):
        slopes = vmap(lambda each: grad(worth)(each, pool))(parameters)
        sent = (len(benign) * LR * slopes + MALICIOUS * BOUND * actions) / CLIENTS
        parameters = parameters - sent
    return vmap(lambda each: worth(each, federation.test))(parameters) - worth(start, federation.test)


@pytest.fixture(scope="module")
def best(federation):
    """Search the best plan by its gradient."""
    return best_plan(
        lambda plans: returns(federation, plans),
        shape=(ROUNDS, federation.network.size),
        climb=PlanAscent(starts=32, steps=60, lr=0.2),
        rng=stream(0, "search"),
    )


def played(game, act) -> float:
    """Return what is gained in an episode; `act` is told the round and what is seen."""
    env = SeatEnv(game, ATTACKER)
    seen, _ = env.reset(seed=0)
    gained, over = [], False
    while not over:
        seen, reward, *ending, _ = env.step(act(len(gained), seen))
        gained, over = [*gained, reward], any(ending)
    return sum(gained)


def test_the_best_plan_returns_in_the_game_what_the_search_says(game, federation, best):
    assert federation.network.size == 8
    value = float(returns(federation, best[None])[0])
    assert played(game, lambda move, seen: best[move].numpy()) == pytest.approx(value, rel=1e-4)


def test_no_random_plan_is_as_good(game, federation, best):
    drawn = torch.from_numpy(stream(1, "plans").choice([-1.0, 1.0], (500, *best.shape))).float()
    assert returns(federation, drawn).max() < returns(federation, best[None])[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_search_comes_within_five_percent_of_the_best_plan(game, best, seed):
    """The game has a second peak, at half the return: the search begins wide and stays so for a while."""
    search = CrossEntropySearch(ConstantActions(), episodes=1, trials=1, deviation=1.0, extra=0.2, fading=15)
    assert worth(game, best, search, steps=2500, seed=seed) > 0.95


@pytest.mark.parametrize("seed", [0, 1])
def test_the_actor_critic_comes_within_five_percent_of_the_best_plan(game, best, seed):
    learner = ActorCritic(
        UpdateSettings(hidden=(64, 64), discount=1.0), batch=64, warmup=200, pace=1, noise=0.3, memory=1000
    )
    assert worth(game, best, learner, steps=600, seed=seed) > 0.95


def worth(game, best, learner, *, steps, seed):
    """Return what a learner's policy returns, as a share of what the best plan does."""
    task = LearningTask(game, ATTACKER)
    *_, last = train(learner, task, steps=steps, seed=seed)
    policy = learner.policies(learner.choose(last, task, seed=seed), task)[ATTACKER]
    most = played(game, lambda move, seen: best[move].numpy())
    return played(game, lambda move, seen: policy.act(seen)) / most


def test_the_learned_attack_comes_within_five_percent_of_the_best_plan(game, best, learned):
    first, *_, last = learned
    most = played(game, lambda move, seen: best[move].numpy())
    assert most > 1
    assert played(game, lambda move, seen: first.act(seen)) < 0.5 * most
    assert played(game, lambda move, seen: last.act(seen)) > 0.95 * most
