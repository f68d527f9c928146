"""Min-sum (Shejwalkar & Houmansadr, 2021): as far out, by the sum of distances, as the farthest benign update."""

from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.attacks.untargeted.observed_updates import Knowledge, check_knowledge, craft_or_submit_own, view_for
from sparring.attacks.untargeted.perturbation import Direction, check_direction, ray
from sparring.contracts import BlackBoxView
from sparring.validation import check_matrix


def min_sum(benign: Matrix, direction: Direction) -> Vector:
    """Return the farthest update on the ray whose sum of squared distances to the rows is at most that of any row.

    For any x the sum is Σ|m - b|² + n |m - x|², with the mean m: so the crafted update may be as far from the mean as
    the farthest row, and γ = max |m - b| / |p|.
    """
    benign = check_matrix("min_sum", benign, name="benign")
    line = ray(benign, direction)
    return line.at(sqrt(float(line.squares.max()) / line.square) if line.square > 0 else 0.0)


@dataclass(frozen=True)
class MinSum:
    r"""Submit the benign mean, moved against `direction` as far out as the farthest benign update.

    $$\mu + \gamma p, \quad
    \sum_{i} \lVert \mu + \gamma p - u_i \rVert^2 \le \max_{i} \sum_{j} \lVert u_i - u_j \rVert^2,
    \quad \gamma = \max_i \frac{\lVert \mu - u_i \rVert}{\lVert p \rVert}$$

    $\mu$ is the mean of the benign updates $u_i$, $-p$ is `direction`, and $\gamma$ is the largest step.

    The sum of its squared distances to the benign updates equals the largest such sum of a benign update, as in the
    paper; the authors' code uses the smallest. The step γ is exact, where the authors use bisection to within 1e-5.
    With partial knowledge the clients' own updates replace the benign ones. If there is only one update, or all are
    equal, the step is zero and the mean is submitted; in a round without benign updates the clients submit their own.
    """

    direction: Direction = "unit"
    """What is subtracted: the mean as a unit vector, its sign, or the benign standard deviation."""
    knowledge: Knowledge = "full"
    """What it estimates from: this round's benign updates (`full`), or its own clients' updates (`partial`)."""
    paper: ClassVar[str] = (
        "Shejwalkar & Houmansadr, 2021, Manipulating the Byzantine: optimizing model poisoning attacks and defenses "
        "for federated learning, NDSS"
    )
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = (
        "the rule accepts an update whose summed distances are no larger than those of a benign one"
    )

    def __post_init__(self) -> None:
        check_direction("min_sum", self.direction)
        check_knowledge("min_sum", self.knowledge)

    @property
    def needs(self) -> type[BlackBoxView]:
        """Full knowledge requires this round's benign updates."""
        return view_for(self.knowledge)

    def craft(self, view: BlackBoxView) -> Matrix:
        return craft_or_submit_own(view, self.knowledge, made=partial(min_sum, direction=self.direction))
