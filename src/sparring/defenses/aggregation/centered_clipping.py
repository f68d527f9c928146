"""Centered clipping (Karimireddy et al., 2021): clipped steps from the last aggregate towards the updates."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import distances_to, weighted_sum
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.validation import at_least, check_matrix, check_vector, positive


def centered_clipping(updates: Matrix, center: Vector, radius: float, iterations: int) -> Vector:
    """Move `center` by the mean of the finite rows' offsets from it, clipped to `radius`; repeat `iterations` times.

    Return zeros if there are no rows: an empty round leaves the model unchanged.
    """
    updates = check_matrix("centered_clipping", updates)
    center = check_vector("centered_clipping", center, of=updates, name="center")
    positive("centered_clipping", radius=radius)
    at_least(1, "centered_clipping", iterations=iterations)
    return _move_center(updates, center, radius=radius, iterations=iterations)[0]


def _move_center(updates: Matrix, center: Vector, *, radius: float, iterations: int) -> tuple[Vector, Tensor]:
    """Return the result, and each row's clipping factor in the last iteration; 0 for a non-finite row."""
    shares = updates.new_zeros(len(updates), dtype=torch.float64)
    for _ in range(iterations):
        distances = distances_to(center, updates)
        present = torch.isfinite(distances)
        if not present.any():
            return torch.zeros_like(center), shares
        shares = torch.where(present, (radius / distances).clamp_(max=1), 0)
        weights = shares / present.sum()
        center = (1 - weights.sum()) * center + weighted_sum(weights, updates)
    return center, shares


@dataclass(frozen=True)
class CenteredClipping:
    r"""Start from the last aggregate, kept in memory, or from zero in the first round.

    $$v \leftarrow v + \frac{1}{n} \sum_{i=1}^{n} (u_i - v) \min\left(1, \frac{\tau}{\lVert u_i - v \rVert}\right)$$

    $v$ is the center, and $\tau$ the radius.

    An empty round leaves both the model and the memory unchanged. The default radius is the authors' 10 on gradients,
    times their learning rate of 0.01.
    """

    radius: float = 0.1
    """The published τ: the largest L2 distance from the center that an update keeps, above 0."""
    iterations: int = 1
    """The published L: how often the center moves in a round, at least 1."""
    family: ClassVar[Family] = "clipping"
    paper: ClassVar[str] = "Karimireddy et al., 2021, Learning from history for Byzantine robust optimization, ICML"
    cost: ClassVar[str] = "O(T n d) for T iterations"
    assumption: ClassVar[str] = "benign updates are the majority, and aggregates change little from round to round"

    def __post_init__(self) -> None:
        positive("centered_clipping", radius=self.radius)
        at_least(1, "centered_clipping", iterations=self.iterations)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        center = memory.get("center", torch.zeros_like(view.parameters))
        updates = check_matrix("centered_clipping", view.updates)
        step, shares = _move_center(updates, center, radius=self.radius, iterations=self.iterations)
        view.note("clipped", ((shares > 0) & (shares < 1)).nonzero().flatten().tolist())
        return step, {"center": step.clone()} if shares.any() else memory
