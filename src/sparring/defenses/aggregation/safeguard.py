"""Safeguard (Allen-Zhu et al., 2021): expel clients whose summed updates deviate from those of most others."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, squared_distances
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import add_noise, average, drop_non_finite
from sparring.defenses.aggregation.toolkit.client_memory import add_updates, list_client_ids, recall
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def safeguard(accumulators: Matrix, *, multiplier: float = 1.5, floor: float = 0.5) -> Tensor:
    """Return a boolean per row: whether it is close to the median row, the one closest to more than half of the rows.

    All rows must be finite. A row's score is the smallest distance within which more than half of the rows lie,
    including itself; the row with the lowest score is the median. A row is close if its distance from the median is at
    most `multiplier` times the median's score, or times `floor` if that is larger.
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
    r"""Average the clients not expelled yet, and expel clients whose summed updates deviate too far from the median.

    $$\lVert A_i - A_m \rVert \le \mu \max(s_m, s_0) \quad \text{for each window}$$

    Client $i$ stays while this holds: $A_i$ is the sum of its updates in the window, $m$ the median client with score
    $s_m$, $\mu$ the `multiplier` and $s_0$ the `floor`.

    Two windows are kept in parallel (algorithm 1). A client is expelled for good after the round in which it deviates;
    in that round its update still counts. Updates are divided by the number that counted in their round; absent clients
    keep their accumulators. The thresholds are the authors' empirical ones. The result is zero in a round in which all
    clients are expelled.
    """

    short_window: int = 50
    """The published T0, in rounds; the authors use one epoch, or 50 rounds in the papers' federations on MNIST."""
    long_window: int = 300
    """The published T1, in rounds; the authors use six epochs."""
    multiplier: float = 1.5
    """Largest distance from the median that still counts as close, as a multiple of the median client's score."""
    floor: float = 0.5
    """Lower bound of the score: the authors' 5 on gradients, times their learning rate of 0.1."""
    noise: float = 0.0
    """The published ν: standard deviation of the Gaussian noise on each step, which in theory escapes saddle points."""
    readmit: bool = False
    """Readmit all clients at the start of each long window."""
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
        ids = list_client_ids(memory, [view.clients[row] for row in finite])
        judged = _current(memory, view.round, window=self.long_window) if self.readmit else memory
        good = recall(judged, "good", ids=ids, new=view.parameters.new_ones((), dtype=torch.bool))
        trusted = good[: len(finite)].nonzero().flatten()
        rows = [finite[index] for index in trusted.tolist()]
        view.note("selected", rows)
        if not rows:
            return torch.zeros_like(view.parameters), memory
        sums = {}
        for name, window in (("long", self.long_window), ("short", self.short_window)):
            past = recall(
                _current(memory, view.round, window=window), name, ids=ids, new=torch.zeros_like(view.parameters)
            )
            sums[name] = add_updates(past, drop_non_finite(view.updates), scale=1 / len(rows))
            good[trusted] &= safeguard(sums[name][trusted], multiplier=self.multiplier, floor=self.floor)
        step = add_noise(average(view.updates, rows), self.noise, rng=view.rng)
        return step, {"clients": ids, "good": good, "round": torch.tensor(view.round), **sums}


def _current(memory: Memory, now: int, *, window: int) -> Memory:
    """Return the memory, or an empty memory if a new window has begun since it was stored."""
    return memory if memory and int(memory["round"]) // window == now // window else {}
