"""Replay memories of one task or several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space
from sparring.learning.actor_critic.updates import Transitions
from sparring.random import Generator
from sparring.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class ReplayMemory:
    """The latest `capacity` steps of a game with one seat or several.

    A memory is invalid after `add`: rows are overwritten in place, and the returned memory has them.
    """

    rows: Tensor
    """`[capacity, numbers]`: observations, actions, reward, what is seen next, and whether the game ended."""
    widths: tuple[int, ...]
    """How many numbers each of these has, in the order of `Transitions`."""
    seats: int
    count: int = 0
    """Steps that were added."""

    __repr__ = briefly

    @property
    def filled(self) -> int:
        """How many steps it holds."""
        return min(self.count, len(self.rows))

    def add(
        self,
        seen: Sequence[FloatArray],
        actions: Sequence[FloatArray],
        *,
        reward: float,
        following: Sequence[FloatArray],
        ended: bool,
    ) -> "ReplayMemory":
        """Return the memory with one more step, which replaces the oldest if the memory is full."""
        row = step_row(seen, actions, reward=reward, following=following, ended=ended)
        return self.extend(torch.from_numpy(row)[None])

    def extend(self, rows: Tensor) -> "ReplayMemory":
        """Return the memory with `[steps, numbers]` more steps, which replace the oldest if the memory is full.

        To add the same steps to the same memory twice leaves the same rows.
        """
        count, capacity = self.count + len(rows), len(self.rows)
        latest = rows[-capacity:]
        self.rows[torch.arange(count - len(latest), count) % capacity] = latest
        return replace(self, count=count)

    @property
    def observations(self) -> Tensor:
        """`[steps, numbers]`: what the first seat saw in each step that is held."""
        return self.rows[: self.filled, : self.widths[0]]

    def draw(self, size: int, rng: Generator) -> Transitions:
        """Draw steps, with repetition."""
        rows = self.rows[torch.from_numpy(rng.integers(self.filled, size=size))]
        parts, seats = rows.split(self.widths, dim=1), self.seats
        seen, actions, following = parts[:seats], parts[seats : 2 * seats], parts[2 * seats + 1 : -1]
        return Transitions(seen, actions, parts[2 * seats].squeeze(1), following, parts[-1].squeeze(1))

    def __reduce__(self) -> tuple[Any, ...]:
        # To other processes goes what is filled. An array is copied there: the rows stay private, unlike a tensor's.
        rows = self.rows[: self.filled].numpy()
        return _refilled, (rows, len(self.rows), self.widths, self.seats, self.count)

    def pack(self) -> Snapshot:
        """Return the memory as a snapshot."""
        return Snapshot({"rows": self.rows[: self.filled].clone()}, {"capacity": len(self.rows), "count": self.count})


def step_row(
    seen: Sequence[FloatArray],
    actions: Sequence[FloatArray],
    *,
    reward: float,
    following: Sequence[FloatArray],
    ended: bool,
) -> FloatArray:
    """Return a step as a row of a memory."""
    return np.concatenate([*seen, *actions, [reward], *following, [ended]], dtype=np.float32)


def empty_memory(spaces: Sequence[Space], capacity: int) -> ReplayMemory:
    """Return a memory for seats of these spaces."""
    seen, answered = [space.observation for space in spaces], [space.action for space in spaces]
    widths = (*seen, *answered, 1, *seen, 1)
    return ReplayMemory(torch.zeros(capacity, sum(widths)), widths, len(spaces))


def unpack_memory(packed: Snapshot, spaces: Sequence[Space]) -> ReplayMemory:
    """Return the memory that was packed."""
    empty = empty_memory(spaces, packed.numbers["capacity"])
    empty.rows[: len(packed.tensors["rows"])] = packed.tensors["rows"]
    return replace(empty, count=packed.numbers["count"])


def _refilled(rows: FloatArray, capacity: int, widths: tuple[int, ...], seats: int, count: int) -> ReplayMemory:
    whole = torch.zeros(capacity, sum(widths))
    whole[: len(rows)] = torch.from_numpy(rows)
    return ReplayMemory(whole, widths, seats, count)
