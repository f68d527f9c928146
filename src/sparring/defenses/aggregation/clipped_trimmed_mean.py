"""Clipped trimmed mean (Pan et al., 2023): the meta-Stackelberg game's rule, a trimmed mean of clipped updates."""

from dataclasses import dataclass, field
from typing import ClassVar

from sparring.arrays import Vector, finite_rows, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.clipped import Clipped
from sparring.defenses.aggregation.toolkit.arithmetic import middle
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.defenses.aggregation.trimmed_mean import TrimmedMean
from sparring.errors import ConfigError
from sparring.registry import ADDED_LATER
from sparring.validation import positive

FAINT = 1e-150
"""The smallest norm bound: that of updates most of which are zero."""


@dataclass(frozen=True)
class ClippedTrimmedMean:
    r"""Clip every update to `max_norm`, then average each coordinate without a fraction of its extreme values.

    $$\frac{1}{n - 2b} \sum_{i=b+1}^{n-b} \bar u_{(i)k} \quad \text{with} \quad
    \bar u_i = u_i \min\left(1, \frac{\alpha}{\lVert u_i \rVert}\right), \quad b = \lfloor \beta n / 2 \rfloor$$

    $\bar u_{(1)k} \le \ldots \le \bar u_{(n)k}$ are the clipped values of coordinate $k$ in order.

    Half of the fraction is trimmed on each side, rounded down; at least one value remains (MSG, appendix C). In the
    game the defender's action sets both parameters.
    """

    max_norm: float = 2.0
    """α: norm bound on updates."""
    trim: float = 0.4
    """β: fraction of values trimmed, at least 0 and below 1."""
    relative: bool = field(default=False, metadata=ADDED_LATER)
    """Whether `max_norm` is in multiples of the round's median norm."""
    family: ClassVar[Family] = "coordinate"
    paper: ClassVar[str] = (
        "Pan et al., 2023, A first order meta Stackelberg method for robust federated learning, arXiv:2306.13800"
    )
    cost: ClassVar[str] = "O(n d log n)"
    assumption: ClassVar[str] = (
        "no more updates are malicious than are trimmed on a side, and benign updates mostly keep to the norm bound"
    )

    def __post_init__(self) -> None:
        positive("clipped_trimmed_mean", max_norm=self.max_norm)
        if not 0 <= self.trim < 1:
            raise ConfigError(f"clipped_trimmed_mean: trim={self.trim}; use trim from 0 to below 1")

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        # The trimmed mean drops a non-finite row and counts it as one of the trimmed rows.
        clients, finite = len(view.updates), int(finite_rows(view.updates).sum())
        each_side = int(self.trim * finite / 2) + clients - finite
        return Clipped(TrimmedMean(each_side), self._bound(view)).aggregate(view, memory)

    def _bound(self, view: DefenderView) -> float:
        if not self.relative:
            return self.max_norm
        norms = row_norms(view.updates)
        return max(FAINT, self.max_norm * float(middle(norms[norms.isfinite()])))
