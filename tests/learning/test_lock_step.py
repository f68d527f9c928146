"""Policies that play an episode in lock-step."""

import numpy as np
import pytest
import torch

from sparring.experiments.jobs.process_pool import parallel_calls
from sparring.games.federated import ATTACKER
from sparring.learning.evaluation import EpisodeCall, Playing, episode_returns, play_episode
from sparring.learning.search import ConstantActions
from sparring.learning.training_env import LearningTask
from sparring.training import Auto
from tests.games.federated.playing import attackers_game, scenario
from tests.games.small_games import Still, Tracking


def task():
    return LearningTask(attackers_game(played=scenario(backend=Auto(pooled=True)), rounds=6), ATTACKER)


def policies(task, count=3):
    numbers = np.linspace(-0.9, 0.9, count * task.space.action).reshape(count, -1)
    return [ConstantActions().policy(torch.from_numpy(each), task.space) for each in numbers]


def test_each_gains_what_it_gains_alone():
    game = task()
    played = policies(game)
    together = play_episode(EpisodeCall(played, 0, "e", 0), game)
    alone = [play_episode(EpisodeCall([policy], 0, "e", 0), game)[0] for policy in played]
    assert [each.steps for each in together] == [each.steps for each in alone]
    assert [each.gain for each in together] == pytest.approx([each.gain for each in alone], rel=1e-3, abs=1e-5)
    assert len({each.gain for each in together}) == 3


def test_games_without_joint_transitions_are_stepped_one_by_one():
    game = LearningTask(Tracking(), "player")
    both = play_episode(EpisodeCall([Still(), Still()], 0, "e", 1), game)
    assert both == 2 * play_episode(EpisodeCall([Still()], 0, "e", 1), game)


def test_returns_are_the_same_bytes_for_one_and_two_processes():
    game = task()
    wanted = {"numbers": range(2), "seed": 0, "name": "e"}
    expected, steps = episode_returns(game, policies(game), **wanted, playing=Playing(together=2))
    with parallel_calls(2) as calls:
        found, taken = episode_returns(game, policies(game), **wanted, playing=Playing(calls, together=2))
    assert torch.equal(found, expected)
    assert taken == steps
    assert expected.shape == (3, 2)
