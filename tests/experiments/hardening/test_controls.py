"""What a search learns where there is nothing to learn, and from rewards that mean nothing."""

from dataclasses import replace
from statistics import fmean

import pytest
import torch

from sparring.experiments.hardening.request import read_hardening
from sparring.experiments.hardening.run_hardening import SEARCH
from sparring.experiments.hardening.world import simulate_world
from sparring.games.federated import DEFENDER, typed_games
from sparring.learning.calls import call_in_turn
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.learning.yardstick import defender_tasks
from sparring.random import stream

SETTING = {"data": {"name": "digits", "size": 8}, "model": "logistic", "federation": {"clients": 20}}
SETTLED = {"rounds": 15, "images": 500, "actions": "published"}
GENERATIONS = 4
BAD = (0.6, -0.2)
"""An action that lets much of an attack through."""


def world(types, seed):
    """Return the simulated world of a domain, and the defender's task in it."""
    request = read_hardening({**SETTING, "seed": seed, "harden": SETTLED}, effort=1, domain={"types": types})
    made = simulate_world(request)
    tasks = list(defender_tasks(typed_games(made.scenario, made.domain, made.terms)).values())
    return made, LearningTask(TypesInTurn(tasks, [1.0] * len(tasks), "worst"), DEFENDER)


def searched(task, start, *, seed, calls=call_in_turn):
    """Return the policy that a short search finds."""
    search = replace(SEARCH, start=start, calls=calls)
    state = search.initial(task, seed=seed)
    for _ in range(GENERATIONS):
        state = search.advance(state, task, seed=seed)
    return search.policies(search.choose(state, task, seed=seed), task)[DEFENDER]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_an_attack_little_is_trimmed(seed):
    made, task = world({"none": {}}, seed)
    policy = searched(task, (0.0, 0.0), seed=seed)
    assert made.terms.acting.decode(policy.layers[-1][1].clamp(-1, 1).numpy()).rule.trim < 0.3


def test_shuffled_rewards_teach_less_than_true_ones():
    gains = {"true": [], "shuffled": []}
    for seed in range(3):
        _, task = world({"ipm": {"attack": {"name": "ipm", "scale": 5.0, "share": 0.2}}}, seed)
        rng = stream(seed, "shuffled rewards")

        def shuffled(function, arguments, rng=rng):
            for argument in arguments:
                results = list(function(argument))
                yield [results[place] for place in rng.permutation(len(results))]

        begin = evaluate_policy(task, SEARCH.family.policy(torch.tensor(BAD), task.space), episodes=4, seed=9)
        for name, calls in {"true": call_in_turn, "shuffled": shuffled}.items():
            policy = searched(task, BAD, seed=seed, calls=calls)
            gains[name].append(evaluate_policy(task, policy, episodes=4, seed=9) - begin)
    assert min(gains["true"]) > 0.5
    assert fmean(gains["true"]) > 1.5 * fmean(gains["shuffled"])
