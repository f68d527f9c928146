"""Where a seat learns: games that are played side by side, in lock-step, in this process or each in its own."""

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
"""A packed state that goes through a pipe by value: tensors would go through shared memory."""


@dataclass(frozen=True, eq=False)
class LearningTask:
    """A game, who learns in it, and who else plays."""

    game: Game[Any]
    seat: str
    opponents: Mapping[str, Policy] = field(default_factory=dict)
    environments: int = 1
    """How many games are played in lock-step. What is learned depends on it."""
    processes: bool = False
    """Whether each of them has a process of its own. What is learned does not depend on it."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.environments < 1:
            raise ConfigError(f"arena.environments is {self.environments}; it must be at least 1")
        SeatEnv(self.game, self.seat, opponents=self.opponents)

    @property
    def space(self) -> Space:
        """What the learning seat sees and does."""
        return self.game.seats[self.seat]


class SentEnv(Wrapper[FloatArray, FloatArray, FloatArray, FloatArray]):
    """A seat's env as a learner plays it: its horizon is its end, and snapshots can be sent to another process."""

    env: SeatEnv

    def step(self, action: FloatArray) -> tuple[FloatArray, Any, bool, bool, dict[str, Any]]:
        # What is learned is the return of an episode; nothing that could follow its horizon counts.
        seen, reward, is_terminated, is_truncated, told = self.env.step(action)
        return seen, reward, is_terminated or is_truncated, False, told

    def sent(self) -> Parcel:
        """Return a snapshot."""
        tensors, numbers = self.env.snapshot()
        return save(
            {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        ), numbers

    def receive(self, content: bytes, numbers: dict[str, Any]) -> None:
        """Go on from a snapshot."""
        self.env.restore(Snapshot(load(content), numbers))


@contextmanager
def make_vec_env(arena: LearningTask, *, seed: int) -> Iterator[VecEnv]:
    """Open the arena's games, each with a random stream of its own."""
    environments = _opened(arena, seed)
    try:
        yield environments
    except (EOFError, ConnectionError) as error:
        raise RunError(
            "a process that plays a game ended early; its last words stand above, and processes=False shows more"
        ) from error
    finally:
        with suppress(EOFError, ConnectionError):
            environments.close()


def _opened(arena: LearningTask, seed: int) -> VecEnv:
    rngs = [stream(seed, "environment", place) for place in range(arena.environments)]
    if not arena.processes:
        return DummyVecEnv([partial(_seated, arena, rng) for rng in rngs])
    threads = torch.get_num_threads()
    makers: list[Callable[[], SentEnv]] = [partial(_seated_apart, arena, rng, threads=threads) for rng in rngs]
    return SubprocVecEnv(makers, start_method="spawn")  # type: ignore[arg-type]  # a list of more than wrappers


def _seated(arena: LearningTask, rng: Generator) -> SentEnv:
    env = SeatEnv(arena.game, arena.seat, opponents=arena.opponents)
    env.np_random = rng
    return SentEnv(env)


def _seated_apart(arena: LearningTask, rng: Generator, *, threads: int) -> SentEnv:
    """Open a game in a fresh process; its threads are as many as elsewhere, so that sums are taken alike."""
    follow_parent()
    torch.set_num_threads(threads)
    keep_freed_memory()
    return _seated(arena, rng)
