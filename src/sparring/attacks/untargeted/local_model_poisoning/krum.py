"""Local model poisoning against distance-based rules (Fang et al., 2020, section 4.2).

All crafted models are w_t - λ s, where the paper's s is the direction in which the benign models move; in terms of
updates, -λ times the direction of the benign mean. λ is the largest value found with which Krum selects a crafted row.
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import PUBLISHED, KrumScore, Matrix, Vector, column_blocks, squared_distances
from sparring.attacks.untargeted.observed_updates import directions
from sparring.validation import check_matrix

SMALLEST = 1e-5
"""The λ below which the search gives up."""


class HalvingSearch(NamedTuple):
    """The last λ tried, and whether Krum selects a crafted row with it."""

    step: float
    selected: bool


@dataclass(frozen=True)
class Geometry:
    """The statistics of the benign updates h that Krum scores depend on, for crafted rows -λ g with g in {-1, 1}.

    Distances are closed-form in λ: |h + λ g|² = |h|² + 2 λ <h, g> + λ² d. No λ costs a pass over the updates.
    """

    distances: Tensor
    """Squared distances between the benign updates."""
    squares: Tensor
    """The |h|²."""
    slopes: Tensor
    """The <h, g>."""
    dimensions: int
    score: KrumScore = PUBLISHED

    def scores(self, step: float, *, crafted: int, neighbors: int) -> Tensor:
        """Return the Krum score of each benign row, then of each crafted row."""
        benign = len(self.squares)
        between = self.squares + 2 * step * self.slopes + step**2 * self.dimensions
        table = self.squares.new_zeros(benign + crafted, benign + crafted)
        table[:benign, :benign] = self.distances
        table[:benign, benign:] = between[:, None]
        table[benign:, :benign] = between
        return self.score.scores(table.clamp_(min=0), neighbors)

    def bound(self, *, crafted: int, neighbors: int) -> float:
        """Return the upper bound of the λ that Krum selects (theorem 1, for any number of neighbors).

        The distances from a crafted row to its benign neighbors are at least λ √d - max |h|, and the sum of these
        distances, or of their squares, is below the smallest benign score. The row has `crafted - 1` neighbors at
        distance 0. If only these are counted, or if there are too few benign rows to be each other's neighbors, any λ
        may be selected, and the bound is only a starting value.
        """
        counted = max(1, neighbors - crafted + 1)
        best = self.score.scores(self.distances, neighbors).min().item()
        farthest = self.squares.max().sqrt().item()
        if not self.score.is_squared:
            return (best / counted + farthest) / sqrt(self.dimensions)
        return sqrt(best / (counted * self.dimensions)) + farthest / sqrt(self.dimensions)

    def search(self, *, crafted: int, neighbors: int) -> HalvingSearch:
        """Halve λ from its bound until Krum selects a crafted row for any order of the clients, or give up."""
        step = self.bound(crafted=crafted, neighbors=neighbors)
        while True:
            scores = self.scores(step, crafted=crafted, neighbors=neighbors)
            selected = bool(scores[-1] < scores[:-crafted].min())
            if selected or step < SMALLEST:
                return HalvingSearch(step, selected)
            step /= 2


def measure(benign: Matrix, signs: Vector, *, score: KrumScore = PUBLISHED) -> Geometry:
    """Compute the statistics of the benign updates."""
    benign = check_matrix("measure", benign, name="benign")
    squares, slopes = benign.new_zeros(2, len(benign), dtype=torch.float64)
    for columns in column_blocks(benign):
        block = benign[:, columns].double()
        slopes += block @ signs[columns].double()
        squares += block.square().sum(dim=1)
    return Geometry(squared_distances(benign), squares, slopes, len(signs), score)


def farthest_selected(benign: Matrix, *, crafted: int, assumed: int, score: KrumScore = PUBLISHED) -> Vector:
    """Return the update that all `crafted` rows submit when the server's Krum assumes `assumed` malicious rows.

    With too few rows the count is lowered to the largest that Krum supports. If the released form has no neighbors
    left, it selects no crafted row, and the search gives up.
    """
    benign = check_matrix("farthest_selected", benign, name="benign")
    signs = directions(benign)
    rows = len(benign) + crafted
    neighbors = score.neighbors(rows, min(assumed, score.limit(rows)))
    if score.is_bounded:
        neighbors = max(1, neighbors)
    found = measure(benign, signs, score=score).search(crafted=crafted, neighbors=neighbors)
    return (signs * -found.step).nan_to_num_()


def farthest_expected(own: Matrix, score: KrumScore = PUBLISHED) -> Vector:
    """Return the update to submit when only the malicious clients' `own` updates are known (partial knowledge).

    They are used in place of the benign updates, and crafted rows are added until Krum, assuming as many malicious
    rows, selects one. It does so for any λ once all neighbors of a crafted row are crafted: at the latest with one
    more crafted row than `own` has.
    """
    own = check_matrix("farthest_expected", own, name="own")
    signs = directions(own)
    geometry = measure(own, signs, score=score)
    neighbors = max(1, len(own) - score.apart)
    for crafted in range(1, len(own) + 2):
        found = geometry.search(crafted=crafted, neighbors=neighbors)
        if found.selected:
            break
    return (signs * -found.step).nan_to_num_()
