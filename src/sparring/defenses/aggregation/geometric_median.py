"""Geometric median by the smoothed Weiszfeld algorithm (Pillutla et al., 2022: RFA)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.arrays import Matrix, Vector, gram
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import drop_non_finite, inner_mean, weighted_sum
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.validation import at_least, check_matrix

SMOOTHING = 1e-6
"""The published ν, relative to the rows' median distance from the start: smaller distances are rounded up to it."""
TINY = 1e-150
"""Replaces ν if most rows are equal."""


def geometric_median(updates: Matrix, *, iterations: int = 100, tolerance: float = 1e-8) -> Vector:
    """Approximate the point with the smallest sum of distances to the finite rows; return zeros if there are none.

    It starts from the coordinate-wise median, so that distant rows do not use up the iterations, and stops when an
    iteration moves it by less than `tolerance` times the median distance. Iterations use only the rows' inner products.
    """
    updates = check_matrix("geometric_median", updates)
    at_least(0, "geometric_median", iterations=iterations, tolerance=tolerance)
    rows = drop_non_finite(updates)
    start = inner_mean(rows, trim=minority(len(rows)))
    if len(rows) == 0 or iterations == 0:
        return start
    return weighted_sum(_weiszfeld(gram(rows, start), iterations=iterations, tolerance=tolerance), rows)


def _weiszfeld(products: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    """Return the rows' weights in the geometric median, given the inner products of their offsets from the start."""
    scale = products.diagonal().sqrt().median()
    nearest = (SMOOTHING * scale).clamp(min=TINY).square()
    weights = products.new_zeros(len(products))
    for _ in range(iterations):
        closeness = _squared_distances(products, weights).clamp_(min=nearest).rsqrt_()
        before, weights = weights, closeness / closeness.sum()
        moved = weights - before
        if moved @ products @ moved <= (tolerance * scale) ** 2:
            break
    return weights


def _squared_distances(products: Tensor, weights: Tensor) -> Tensor:
    """Return the squared distance of each offset z_i from v = Σ w_j z_j: |z_i|² - 2 <z_i, v> + |v|²."""
    along = products @ weights
    return products.diagonal() - 2 * along + weights @ along


@dataclass(frozen=True)
class GeometricMedian:
    r"""Take the point with the smallest sum of distances to all rows.

    $$\mathrm{arg} \min_v \sum_{i=1}^{n} \lVert u_i - v \rVert$$
    """

    iterations: int = 100
    """The most steps of the Weiszfeld algorithm, at least 0."""
    tolerance: float = 1e-8
    """The iterations end when a step is shorter than this share of the median distance, at least 0."""
    family: ClassVar[Family] = "clipping"
    paper: ClassVar[str] = (
        "Pillutla et al., 2022, Robust aggregation for federated learning, IEEE Transactions on Signal Processing"
    )
    cost: ClassVar[str] = "O(n^2 d + T n^2) for T iterations"
    assumption: ClassVar[str] = "benign updates are the majority"

    def __post_init__(self) -> None:
        at_least(0, "geometric_median", iterations=self.iterations, tolerance=self.tolerance)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        step = geometric_median(view.updates, iterations=self.iterations, tolerance=self.tolerance)
        return step, memory
