"""Returns of policies in common episodes, which is how they are compared (Li et al., 2022, section 6.3)."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.contracts import Policy
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.learning.calls import Calls, call_in_turn
from sparring.learning.training_env import LearningTask
from sparring.random import stream


class EpisodeCall(NamedTuple):
    """An episode to play: all policies that are compared play the same ones."""

    policy: Policy
    seed: int
    name: str
    number: int


class EpisodeResult(NamedTuple):
    """The sum of an episode's rewards, and its number of steps."""

    gain: float
    steps: int


def play_episode(call: EpisodeCall, task: LearningTask) -> EpisodeResult:
    """Play one episode."""
    env = SeatEnv(task.game, task.seat, opponents=task.opponents)
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
    due = [EpisodeCall(policy, seed, name, number) for policy in policies for number in numbers]
    results = list(calls(partial(play_episode, task=task), due))
    gains = torch.tensor([result.gain for result in results], dtype=torch.float64)
    return gains.view(len(policies), len(numbers)), sum(result.steps for result in results)


def does_better(task: LearningTask, policy: Policy, *, than: Policy, episodes: int, seed: int) -> bool:
    """Say whether a policy has a higher mean return than another one in common episodes."""
    other, own = (evaluate_policy(task, each, episodes=episodes, seed=seed) for each in (than, policy))
    return own > other


def evaluate_policy(task: LearningTask, policy: Policy, *, episodes: int, seed: int) -> float:
    """Return the mean return of a policy; equal seeds evaluate all policies in the same episodes."""
    if episodes < 1:
        raise ConfigError(f"episodes is {episodes}; it must be at least 1")
    returns, _ = episode_returns(task, [policy], numbers=range(episodes), seed=seed, name="trial")
    return float(sum(returns[0].tolist()) / episodes)
