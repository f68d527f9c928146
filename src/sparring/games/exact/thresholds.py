"""A game whose best action is a step function of a count, one of many observed numbers.

It has the shape of an attack on Krum: while few malicious clients are sampled a small update is best, and from a
threshold on a large one; every other number in the observation is irrelevant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot

SEAT = "attacker"


@dataclass(frozen=True)
class ThresholdState:
    """The move, the current count, the irrelevant numbers, and the gain of the last action."""

    move: int
    count: int
    others: tuple[float, ...]
    gain: float = 0.0


@dataclass(frozen=True)
class Thresholds:
    """In each of `rounds` moves a count is drawn, and the best action is `best(count)`.

    An action a in [-1, 1] gains 1 - |a - step(count)| / 2, so that the best policy returns `rounds`.
    """

    steps: Mapping[int, float] = field(default_factory=lambda: {1: -0.8, 4: 0.6})
    """The best action from each count on."""
    sampled: int = 10
    """The largest count."""
    share: float = 0.2
    """The probability that a sampled client is malicious; the count is at least 1."""
    others: int = 20
    """The number of irrelevant observations."""
    rounds: int = 20

    def __post_init__(self) -> None:
        if min(self.steps, default=0) != 1 or not all(-1 <= best <= 1 for best in self.steps.values()):
            raise ConfigError(f"thresholds.steps is {dict(self.steps)}; it must begin at 1 and stay within -1 and 1")
        if min(self.sampled, self.rounds) < 1 or self.others < 0 or not 0 <= self.share <= 1:
            raise ConfigError(f"{self} cannot be played; use sampled >= 1, rounds >= 1, others >= 0, 0 <= share <= 1")

    @property
    def seats(self) -> Mapping[str, Space]:
        return {SEAT: Space(self.others + 1, 1)}

    @property
    def codec(self) -> Codec[ThresholdState]:
        return Codec(_pack, _unpack)

    def best(self, count: int) -> float:
        """Return the best action at a count."""
        return self.steps[max(start for start in self.steps if start <= count)]

    def initial(self, rng: Generator) -> ThresholdState:
        return self._drawn(0, rng, gain=0.0)

    def observe(self, state: ThresholdState, seat: str) -> FloatArray:
        return np.array([*state.others, state.count / self.sampled], dtype=np.float32)

    def transition(self, state: ThresholdState, actions: Mapping[str, FloatArray], *, rng: Generator) -> ThresholdState:
        action = float(np.clip(actions[SEAT][0], -1, 1))
        return self._drawn(state.move + 1, rng, gain=1 - abs(action - self.best(state.count)) / 2)

    def reward(self, before: ThresholdState, after: ThresholdState, *, seat: str) -> float:
        return after.gain

    def is_over(self, state: ThresholdState) -> bool:
        return state.move >= self.rounds

    def _drawn(self, move: int, rng: Generator, *, gain: float) -> ThresholdState:
        others = tuple(rng.uniform(-1, 1, self.others).tolist())
        return ThresholdState(move, max(1, int(rng.binomial(self.sampled, self.share))), others, gain)


def _pack(state: ThresholdState) -> Snapshot:
    numbers = {"move": state.move, "count": state.count, "gain": state.gain}
    return Snapshot({"others": torch.tensor(state.others, dtype=torch.float64)}, numbers)


def _unpack(packed: Snapshot) -> ThresholdState:
    numbers = packed.numbers
    return ThresholdState(numbers["move"], numbers["count"], tuple(packed.tensors["others"].tolist()), numbers["gain"])
