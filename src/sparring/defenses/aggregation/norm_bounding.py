"""Norm bounding (Sun et al., 2019): the mean of clipped updates."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.clipped import Clipped
from sparring.defenses.aggregation.mean import Mean
from sparring.validation import positive


@dataclass(frozen=True)
class NormBounding:
    r"""Clip every update to `max_norm`, then average.

    $$\frac{1}{n} \sum_{i=1}^{n} u_i \min\left(1, \frac{c}{\lVert u_i \rVert}\right)$$

    $c$ is `max_norm`.
    """

    max_norm: float = 2.0
    """The largest L2 norm of an update, above 0; longer updates are scaled down to it."""
    family: ClassVar[Family] = "clipping"
    paper: ClassVar[str] = "Sun et al., 2019, Can you really backdoor federated learning?, arXiv:1911.07963"
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = "few updates are malicious, and benign updates mostly keep to the norm bound"

    def __post_init__(self) -> None:
        positive("norm_bounding", max_norm=self.max_norm)

    def limit(self, clients: int) -> int:
        return clients

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        return Clipped(Mean(), self.max_norm).aggregate(view, memory)
