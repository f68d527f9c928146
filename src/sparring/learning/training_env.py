"""Training environments of a seat: games stepped in lock-step, in this process or in one process per game."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from gymnasium import Wrapper
from safetensors.torch import load, save
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Game, Policy, Space
from sparring.errors import ConfigError, RunError
from sparring.games.env import SeatEnv
from sparring.random import Generator, stream
from sparring.snapshot import Snapshot
from sparring.training import follow_parent, keep_freed_memory

Parcel = tuple[bytes, dict[str, Any]]
"""A serialized state, sent through a pipe by value; tensors would be sent through shared memory."""


@dataclass(frozen=True, eq=False)
class LearningTask:
    """A game, the seat that learns a best response in it, and the fixed policies of the other seats."""

    game: Game[Any]
    seat: str
    opponents: Mapping[str, Policy] = field(default_factory=dict)
    environments: int = 1
    """Number of games stepped in lock-step. Results depend on it."""
    processes: bool = False
    """Whether each game runs in a separate process. Results do not depend on it."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.environments < 1:
            raise ConfigError(f"arena.environments is {self.environments}; it must be at least 1")
        SeatEnv(self.game, self.seat, opponents=self.opponents)

    @property
    def space(self) -> Space:
        """The dimensions of the learning seat's observation and action."""
        return self.game.seats[self.seat]


class SentEnv(Wrapper[FloatArray, FloatArray, FloatArray, FloatArray]):
    """A seat's environment for a learner: its horizon counts as the end; snapshots can be sent between processes."""

    env: SeatEnv

    def step(self, action: FloatArray) -> tuple[FloatArray, Any, bool, bool, dict[str, Any]]:
        # The objective is the return of an episode; nothing after its horizon counts.
        seen, reward, is_terminated, is_truncated, info = self.env.step(action)
        return seen, reward, is_terminated or is_truncated, False, info

    def sent(self) -> Parcel:
        """Return a serialized snapshot."""
        tensors, numbers = self.env.snapshot()
        return save(
            {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        ), numbers

    def receive(self, content: bytes, numbers: dict[str, Any]) -> None:
        """Resume from a serialized snapshot."""
        self.env.restore(Snapshot(load(content), numbers))


@contextmanager
def make_vec_env(arena: LearningTask, *, seed: int) -> Iterator[VecEnv]:
    """Open the task's environments, each with its own random stream."""
    environments = _open(arena, seed)
    try:
        yield environments
    except (EOFError, ConnectionError) as error:
        raise RunError(
            "a process that plays a game ended early; its output is above, and processes=False shows more"
        ) from error
    finally:
        with suppress(EOFError, ConnectionError):
            environments.close()


def _open(arena: LearningTask, seed: int) -> VecEnv:
    rngs = [stream(seed, "environment", index) for index in range(arena.environments)]
    if not arena.processes:
        return DummyVecEnv([partial(_make_env, arena, rng) for rng in rngs])
    threads = torch.get_num_threads()
    makers: list[Callable[[], SentEnv]] = [partial(_make_env_apart, arena, rng, threads=threads) for rng in rngs]
    return SubprocVecEnv(makers, start_method="spawn")  # type: ignore[arg-type]  # a list of more than wrappers


def _make_env(arena: LearningTask, rng: Generator) -> SentEnv:
    env = SeatEnv(arena.game, arena.seat, opponents=arena.opponents)
    env.np_random = rng
    return SentEnv(env)


def _make_env_apart(arena: LearningTask, rng: Generator, *, threads: int) -> SentEnv:
    """Make an environment in a new process, with the parent's thread count, so that sums are equal to the last bit."""
    follow_parent()
    torch.set_num_threads(threads)
    keep_freed_memory()
    return _make_env(arena, rng)
