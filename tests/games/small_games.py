"""Games whose best answers are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Space
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot


class Place(NamedTuple):
    """Where a player of `Tracking` stands."""

    moves: int
    goal: FloatArray
    last: FloatArray


def pack(state: Place) -> Snapshot:
    return Snapshot({"goal": torch.tensor(state.goal), "last": torch.tensor(state.last)}, {"moves": state.moves})


def unpack(packed: Snapshot) -> Place:
    return Place(packed.numbers["moves"], packed.tensors["goal"].numpy(), packed.tensors["last"].numpy())


@dataclass(frozen=True)
class Tracking:
    """Each seat shall answer with what it sees, turned around: the best return is 0, standing still gets about -moves.

    The goal is drawn anew after every move; `noise` decides how far from 0.
    """

    moves: int = 5
    size: int = 1
    names: tuple[str, ...] = ("player",)
    is_scaled: bool = True
    seats: Mapping[str, Space] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seats", {name: Space(self.size, self.size, self.is_scaled) for name in self.names})

    def initial(self, rng: Generator) -> Place:
        return Place(0, self._goal(rng), np.zeros(self.size * len(self.names), dtype=np.float32))

    def observe(self, state: Place, seat: str) -> FloatArray:
        return state.goal

    def transition(self, state: Place, actions: Mapping[str, FloatArray], *, rng: Generator) -> Place:
        return Place(
            state.moves + 1, self._goal(rng), np.concatenate([state.goal + actions[name] for name in self.names])
        )

    def reward(self, before: Place, after: Place, *, seat: str) -> float:
        place = self.names.index(seat) * self.size
        return -float(np.square(after.last[place : place + self.size]).mean())

    def is_over(self, state: Place) -> bool:
        return state.moves == self.moves

    @property
    def codec(self) -> Codec[Place]:
        return Codec(pack, unpack)

    def _goal(self, rng: Generator) -> FloatArray:
        return rng.uniform(-0.9, 0.9, self.size).astype(np.float32)


@dataclass(frozen=True)
class Endless(Tracking):
    """Could go on for ever: its moves are a horizon."""

    def is_truncated(self, state: Place) -> bool:
        return self.is_over(state)


class Still:
    """Never moves."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def act(self, observation: FloatArray) -> FloatArray:
        return np.zeros(self.size, dtype=np.float32)


@dataclass(frozen=True)
class Broken(Tracking):
    """Shows or gives what it is told to."""

    seen: FloatArray | None = None
    gain: float | None = None

    def observe(self, state: Place, seat: str) -> FloatArray:
        return state.goal if self.seen is None else self.seen

    def reward(self, before: Place, after: Place, *, seat: str) -> float:
        return 0.0 if self.gain is None else self.gain
