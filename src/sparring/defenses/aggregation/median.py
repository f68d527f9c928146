"""Coordinate-wise median (Yin et al., 2018)."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import drop_non_finite, inner_mean
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.validation import check_matrix


def median(updates: Matrix) -> Vector:
    """Return the median of each coordinate of the finite rows; for an even number, the mean of the middle two values.

    Return zeros if there are no rows.
    """
    updates = check_matrix("median", updates)
    rows = drop_non_finite(updates)
    return inner_mean(rows, trim=minority(len(rows)))


@dataclass(frozen=True)
class Median:
    r"""Take the median of each coordinate.

    $$\mathrm{med}(u_{1k}, \ldots, u_{nk}) \quad \text{for each coordinate } k$$
    """

    family: ClassVar[Family] = "coordinate"
    paper: ClassVar[str] = (
        "Yin et al., 2018, Byzantine-robust distributed learning: towards optimal statistical rates, ICML"
    )
    cost: ClassVar[str] = "O(n d log n)"
    assumption: ClassVar[str] = "benign updates are the majority and differ little on each coordinate"

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        return median(view.updates), memory
