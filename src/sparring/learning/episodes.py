"""Episodes of a game with fixed policies: equal numbers of an episode name equal random draws."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.contracts import Policy
from sparring.games.env import SeatEnv
from sparring.learning.learner import Calls, call_in_turn
from sparring.learning.training_env import LearningTask
from sparring.random import stream


class EpisodeCall(NamedTuple):
    """An episode to play: all policies that are compared play the same ones."""

    task: LearningTask
    policy: Policy
    seed: int
    name: str
    number: int


class EpisodeResult(NamedTuple):
    """The sum of an episode's rewards, and its number of steps."""

    gain: float
    steps: int


def play_episode(call: EpisodeCall) -> EpisodeResult:
    """Play one episode."""
    env = SeatEnv(call.task.game, call.task.seat, opponents=call.task.opponents)
    env.np_random = stream(call.seed, call.name, call.number)
    (seen, _), gain, steps, is_over = env.reset(), 0.0, 0, False
    while not is_over:
        seen, reward, is_terminated, is_truncated, _ = env.step(call.policy.act(seen))
        gain, steps, is_over = gain + reward, steps + 1, is_terminated or is_truncated
    return EpisodeResult(gain, steps)


def episode_returns(
    task: LearningTask,
    policies: Sequence[Policy],
    *,
    numbers: Sequence[int],
    seed: int,
    name: str,
    calls: Calls = call_in_turn,
) -> tuple[Tensor, int]:
    """Return the `[policies, episodes]` returns in common episodes, in float64, and the steps that they took."""
    due = [EpisodeCall(task, policy, seed, name, number) for policy in policies for number in numbers]
    results = list(calls(play_episode, due))
    gains = torch.tensor([result.gain for result in results], dtype=torch.float64)
    return gains.view(len(policies), len(numbers)), sum(result.steps for result in results)
