"""Returns of policies in common episodes, which is how they are compared (Li et al., 2022, section 6.3)."""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.contracts import Bounding, Policy
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv, step_together
from sparring.learning.calls import Calls, call_in_turn
from sparring.learning.training_env import LearningTask
from sparring.random import stream

TOGETHER = 8
"""The usual number of policies that play an episode in lock-step."""


class Playing(NamedTuple):
    """How episodes are played."""

    calls: Calls = call_in_turn
    """In this process, or in several. Returns do not depend on it."""
    together: int = TOGETHER
    """Policies that play an episode in lock-step. Returns depend on it; fewer keep more processes busy."""
    floors: Sequence[float] = ()
    """For each episode, the return below which it may end early; none means that all is played."""


IN_TURN = Playing()


class EpisodeCall(NamedTuple):
    """An episode to play: all policies that are compared play the same ones."""

    policies: Sequence[Policy]
    seed: int
    name: str
    number: int
    floor: float = -inf
    """A game that can may end the episode of a policy once its return is sure to be below this."""


class EpisodeResult(NamedTuple):
    """The sum of an episode's rewards, and its number of steps."""

    gain: float
    steps: int


def play_episode(call: EpisodeCall, task: LearningTask) -> list[EpisodeResult]:
    """Play one episode with each policy, in lock-step."""
    game = task.game.above(call.floor) if call.floor > -inf and isinstance(task.game, Bounding) else task.game
    envs = [SeatEnv(game, task.seat, opponents=task.opponents) for _ in call.policies]
    seen, gains, steps = {}, [0.0] * len(envs), [0] * len(envs)
    for place, env in enumerate(envs):
        env.np_random = stream(call.seed, call.name, call.number)
        seen[place], _ = env.reset()
    while seen:
        playing = list(seen)
        actions = [call.policies[place].act(seen[place]) for place in playing]
        outcomes = step_together([envs[place] for place in playing], actions)
        for place, (newer, reward, is_terminated, is_truncated, _) in zip(playing, outcomes, strict=True):
            gains[place], steps[place], seen[place] = gains[place] + reward, steps[place] + 1, newer
            if is_terminated or is_truncated:
                del seen[place]
    return list(map(EpisodeResult, gains, steps))


def episode_returns(
    task: LearningTask,
    policies: Sequence[Policy],
    *,
    numbers: Sequence[int],
    seed: int,
    name: str,
    playing: Playing = IN_TURN,
) -> tuple[Tensor, int]:
    """Return the `[policies, episodes]` returns in common episodes, in float64, and the steps that they took.

    Where an episode has a floor, a return below it may be an upper bound.
    """
    together = playing.together
    groups = [policies[first : first + together] for first in range(0, len(policies), together)]
    least = playing.floors or [-inf] * len(numbers)
    due = [
        EpisodeCall(group, seed, name, number, floor)
        for number, floor in zip(numbers, least, strict=True)
        for group in groups
    ]
    results = list(chain.from_iterable(playing.calls(partial(play_episode, task=task), due)))
    gains = torch.tensor([result.gain for result in results], dtype=torch.float64)
    return gains.view(len(numbers), len(policies)).T.contiguous(), sum(result.steps for result in results)


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
