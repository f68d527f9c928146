"""Training environments of a seat: games stepped in lock-step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gymnasium import Wrapper
from stable_baselines3.common.vec_env import DummyVecEnv

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Game, Policy, Space
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.random import Generator, stream


@dataclass(frozen=True, eq=False)
class LearningTask:
    """A game, the seat that learns a best response in it, and the fixed policies of the other seats."""

    game: Game[Any]
    seat: str
    opponents: Mapping[str, Policy] = field(default_factory=dict)
    environments: int = 1
    """Number of games stepped in lock-step. Results depend on it."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.environments < 1:
            raise ConfigError(f"arena.environments is {self.environments}; it must be at least 1")
        SeatEnv(self.game, self.seat, opponents=self.opponents)

    @property
    def space(self) -> Space:
        """The dimensions of the learning seat's observation and action."""
        return self.game.seats[self.seat]


class LearnerEnv(Wrapper[FloatArray, FloatArray, FloatArray, FloatArray]):
    """A seat's environment for a learner: its horizon counts as the end."""

    env: SeatEnv

    def step(self, action: FloatArray) -> tuple[FloatArray, Any, bool, bool, dict[str, Any]]:
        # The objective is the return of an episode; nothing after its horizon counts.
        seen, reward, is_terminated, is_truncated, info = self.env.step(action)
        return seen, reward, is_terminated or is_truncated, False, info


def make_vec_env(task: LearningTask, *, seed: int) -> DummyVecEnv:
    """Return the task's environments, each with its own random stream."""
    rngs = [stream(seed, "environment", index) for index in range(task.environments)]
    return DummyVecEnv([partial(_make_env, task, rng) for rng in rngs])


def _make_env(task: LearningTask, rng: Generator) -> LearnerEnv:
    env = SeatEnv(task.game, task.seat, opponents=task.opponents)
    env.np_random = rng
    return LearnerEnv(env)
