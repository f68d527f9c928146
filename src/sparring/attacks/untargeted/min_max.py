"""Min-max (Shejwalkar & Houmansadr, 2021): as far out as the largest distance between two benign updates."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch

from sparring.arrays import Matrix, Vector, squared_distances
from sparring.attacks.untargeted.observed_updates import Knowledge, check_knowledge, craft_or_submit_own, view_for
from sparring.attacks.untargeted.perturbation import Direction, Ray, check_direction, ray
from sparring.contracts import BlackBoxView
from sparring.validation import check_matrix


def min_max(benign: Matrix, direction: Direction) -> Vector:
    """Return the farthest update on the ray whose largest distance to a row is at most that between two rows."""
    benign = check_matrix("min_max", benign, name="benign")
    line = ray(benign, direction)
    return line.at(_farthest_within(line, float(squared_distances(benign).max())))


def _farthest_within(line: Ray, limit: float) -> float:
    """Return the largest γ at squared distances of at most `limit` to all benign updates.

    For each, it is the larger root of |p|² γ² + 2 γ <m - b, p> - (limit - |m - b|²), in a numerically stable form.
    """
    if line.square == 0:
        return 0.0
    room = (limit - line.squares).clamp_(min=0)
    halves = (line.slopes.square() + line.square * room).sqrt_()
    outward, inward = room / (halves + line.slopes), (halves - line.slopes) / line.square
    return float(torch.where(line.slopes > 0, outward, inward).min())


@dataclass(frozen=True)
class MinMax:
    r"""Submit the benign mean, moved against `direction` as far as possible without becoming an outlier.

    $$\mu + \gamma p, \quad \max_{i} \lVert \mu + \gamma p - u_i \rVert \le \max_{i,j} \lVert u_i - u_j \rVert$$

    $\mu$ is the mean of the benign updates $u_i$, $-p$ is `direction`, and $\gamma$ is the largest step.

    It stops where its largest distance to a benign update equals the largest distance between two benign updates. The
    step γ is exact, where the authors use bisection to within 1e-5. With partial knowledge the clients' own updates
    replace the benign ones. If there is only one update, or all are equal, the step is zero and the mean is submitted;
    in a round without benign updates the clients submit their own.
    """

    direction: Direction = "unit"
    """What is subtracted: the mean as a unit vector, its sign, or the benign standard deviation."""
    knowledge: Knowledge = "full"
    """What it estimates from: this round's benign updates (`full`), or its own clients' updates (`partial`)."""
    paper: ClassVar[str] = (
        "Shejwalkar & Houmansadr, 2021, Manipulating the Byzantine: optimizing model poisoning attacks and defenses "
        "for federated learning, NDSS"
    )
    cost: ClassVar[str] = "O(n^2 d)"
    assumption: ClassVar[str] = "the rule accepts updates as far apart as two benign ones are"

    def __post_init__(self) -> None:
        check_direction("min_max", self.direction)
        check_knowledge("min_max", self.knowledge)

    @property
    def needs(self) -> type[BlackBoxView]:
        """Full knowledge requires this round's benign updates."""
        return view_for(self.knowledge)

    def craft(self, view: BlackBoxView) -> Matrix:
        return craft_or_submit_own(view, self.knowledge, made=partial(min_max, direction=self.direction))
