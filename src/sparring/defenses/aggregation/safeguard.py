"""Safeguard (Allen-Zhu et al., 2021): clients whose updates add up to something else than most others' are expelled."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, squared_distances
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import admitted, average, blurred
from sparring.defenses.aggregation.toolkit.client_memory import add_updates, enrolled, recalled
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def safeguard(accumulators: Matrix, *, multiplier: float = 1.5, floor: float = 0.5) -> Tensor:
    """Return, as a boolean each, which of the finite rows lie close to the one that is closest to more than half.

    A row's score is the least distance within which more than half lie, itself among them; the row with the lowest is
    the median. What is farther from it than `multiplier` times its score, or times `floor` where that is more, is not
    close.
    """
    accumulators = check_matrix("safeguard", accumulators)
    if len(accumulators) == 0:
        return accumulators.new_ones(0, dtype=torch.bool)
    distances = squared_distances(accumulators).sqrt()
    scores = distances.sort(dim=1).values[:, len(accumulators) // 2]
    median = scores.argmin()
    return distances[median] <= multiplier * scores[median].clamp(min=floor)


@dataclass(frozen=True)
class Safeguard:
    """Average the clients not expelled yet, and expel those whose updates of a window add up too far from most others'.

    Two windows run side by side (algorithm 1). A client is expelled for good after the round that betrays it: in that
    round its update still counts. Updates are divided by the number that counted in their round; absent clients keep
    their accumulators. The thresholds are the authors' empirical ones. In a round without a client that is not expelled
    the result is zero.
    """

    short_window: int = 50
    """The published T0, in rounds; the authors' is one epoch, which these are in the papers' federations on MNIST."""
    long_window: int = 300
    """The published T1, in rounds; the authors' is six epochs."""
    multiplier: float = 1.5
    """How many times the median client's score is still close."""
    floor: float = 0.5
    """The least score reckoned with: the authors' 5 on gradients, times their learning rate of 0.1."""
    noise: float = 0.0
    """The published ν: the deviation of the Gaussian noise on each step, by which theory leaves saddle points."""
    readmit: bool = False
    """Forgive all clients whenever a long window begins."""
    family: ClassVar[Family] = "filtering"
    per_client: ClassVar[bool] = True
    paper: ClassVar[str] = "Allen-Zhu et al., 2021, Byzantine-resilient non-convex stochastic gradient descent, ICLR"
    cost: ClassVar[str] = "O(n^2 d)"
    assumption: ClassVar[str] = "benign updates are the majority, and their sums over many rounds stay close together"

    def __post_init__(self) -> None:
        at_least(1, "safeguard", short_window=self.short_window, multiplier=self.multiplier)
        at_least(0, "safeguard", floor=self.floor, noise=self.noise)
        if self.long_window < self.short_window:
            raise ConfigError(
                f"safeguard: long_window={self.long_window}; use long_window >= short_window ({self.short_window})"
            )

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        finite = finite_rows(view.updates).nonzero().flatten().tolist()
        ids = enrolled(memory, [view.clients[row] for row in finite])
        judged = _current(memory, view.round, window=self.long_window) if self.readmit else memory
        good = recalled(judged, "good", ids=ids, new=view.parameters.new_ones((), dtype=torch.bool))
        trusted = good[: len(finite)].nonzero().flatten()
        rows = [finite[place] for place in trusted.tolist()]
        view.note("selected", rows)
        if not rows:
            return torch.zeros_like(view.parameters), memory
        sums = {}
        for name, window in (("long", self.long_window), ("short", self.short_window)):
            past = recalled(
                _current(memory, view.round, window=window), name, ids=ids, new=torch.zeros_like(view.parameters)
            )
            sums[name] = add_updates(past, admitted(view.updates), scale=1 / len(rows))
            good[trusted] &= safeguard(sums[name][trusted], multiplier=self.multiplier, floor=self.floor)
        step = blurred(average(view.updates, rows), self.noise, rng=view.rng)
        return step, {"clients": ids, "good": good, "round": torch.tensor(view.round), **sums}


def _current(memory: Memory, now: int, *, window: int) -> Memory:
    """Return what is remembered, or nothing where a window has begun since."""
    return memory if memory and int(memory["round"]) // window == now // window else {}
