"""Clipping median (Li et al., 2022; the ClipMed of later papers): the median of clipped updates."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.clipped import Clipped
from sparring.defenses.aggregation.median import Median
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.validation import positive


@dataclass(frozen=True)
class ClippingMedian:
    r"""Clip every update to `max_norm`, then take the median of each coordinate.

    $$\mathrm{med}(\bar u_{1k}, \ldots, \bar u_{nk}) \quad \text{with} \quad
    \bar u_i = u_i \min\left(1, \frac{c}{\lVert u_i \rVert}\right)$$

    $c$ is `max_norm`.
    """

    max_norm: float = 2.0
    """The largest L2 norm of an update, above 0; longer updates are scaled down to it."""
    family: ClassVar[Family] = "coordinate"
    paper: ClassVar[str] = (
        "Li et al., 2022, Learning to attack federated learning: a model-based reinforcement learning attack "
        "framework, NeurIPS"
    )
    cost: ClassVar[str] = "O(n d log n)"
    assumption: ClassVar[str] = "benign updates are the majority and mostly keep to the norm bound"

    def __post_init__(self) -> None:
        positive("clipping_median", max_norm=self.max_norm)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        return Clipped(Median(), self.max_norm).aggregate(view, memory)
