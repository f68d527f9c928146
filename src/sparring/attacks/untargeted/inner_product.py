"""Inner product manipulation (Xie et al., 2020, "Fall of empires")."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Literal, get_args

from sparring.arrays import Matrix, Vector
from sparring.attacks.untargeted.observed_updates import craft_or_submit_own, mean_update
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError
from sparring.registry import ADDED_LATER

Reversed = Literal["mean", "minimum"]
"""The benign vector that is reversed: the mean, or the minimum of each coordinate."""


@dataclass(frozen=True)
class InnerProduct:
    r"""Submit the benign mean times `-scale`, so that the aggregate points in the opposite direction.

    $$-\varepsilon \cdot \frac{1}{|B|} \sum_{i \in B} u_i$$

    $B$ holds the benign updates, and $\varepsilon$ is `scale`.

    A second form uses the coordinate-wise minimum; it is commented out in the public code of Li et al. (2022).

    In a round without benign updates the clients submit their own.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    scale: float = 5.0
    """What the reversed mean is multiplied by: the published ε, above 0."""
    of: Reversed = field(default="mean", metadata=ADDED_LATER)
    """What is reversed: the mean of the benign updates, or their coordinate-wise minimum."""
    paper: ClassVar[str] = (
        "Xie et al., 2020, Fall of empires: breaking Byzantine-tolerant SGD by inner product manipulation, UAI"
    )
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = "the rule cannot tell the reversed mean from a benign update"

    def __post_init__(self) -> None:
        if self.of not in get_args(Reversed):
            raise ConfigError(f"ipm.of is {self.of!r}; it must be mean or minimum")
        if not 0 < self.scale < inf:
            raise ConfigError(f"ipm.scale is {self.scale}; it must be positive and finite")

    def craft(self, view: OmniscientView) -> Matrix:
        return craft_or_submit_own(view, "full", made=self._reverse)

    def _reverse(self, benign: Matrix) -> Vector:
        summary = mean_update(benign) if self.of == "mean" else benign.amin(dim=0)
        return summary.mul_(-self.scale).nan_to_num_()
