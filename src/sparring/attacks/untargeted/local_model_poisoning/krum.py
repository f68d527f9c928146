"""Local model poisoning against distance-based rules (Fang et al., 2020, section 4.2).

All crafted models are w_t - λ s, the paper's s being the direction in which the benign models move: in updates, -λ
times the direction of the benign mean. λ is the largest that the search finds to be selected by Krum.
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
    """The last λ tried, and whether Krum selects the crafted rows with it."""

    step: float
    selected: bool


@dataclass(frozen=True)
class Geometry:
    """All that Krum needs to know of the benign updates h and the crafted ones -λ g, with g in {-1, 1}, as numbers.

    Distances in λ are closed: |h + λ g|² = |h|² + 2 λ <h, g> + λ² d. No λ costs a pass over the updates.
    """

    distances: Tensor
    """Squared distances among the benign updates."""
    squares: Tensor
    """The |h|²."""
    slopes: Tensor
    """The <h, g>."""
    dimensions: int
    score: KrumScore = PUBLISHED

    def scores(self, step: float, *, crafted: int, neighbors: int) -> Tensor:
        """Return Krum's scores: of each benign row, then of each crafted one."""
        benign = len(self.squares)
        between = self.squares + 2 * step * self.slopes + step**2 * self.dimensions
        table = self.squares.new_zeros(benign + crafted, benign + crafted)
        table[:benign, :benign] = self.distances
        table[:benign, benign:] = between[:, None]
        table[benign:, :benign] = between
        return self.score.scores(table.clamp_(min=0), neighbors)

    def bound(self, *, crafted: int, neighbors: int) -> float:
        """Return the upper bound of the λ that Krum selects (theorem 1, for any number of neighbors).

        The benign neighbors of a crafted row are at distances of at least λ √d - max |h|, and these, or their squares,
        add up to less than the best of the benign scores. It has `crafted - 1` neighbors at distance 0. Where these are
        all that are counted, or where the benign rows are too few to be each other's, any λ may be selected, and this
        is only where to start.
        """
        counted = max(1, neighbors - crafted + 1)
        best = self.score.scores(self.distances, neighbors).min().item()
        farthest = self.squares.max().sqrt().item()
        if not self.score.is_squared:
            return (best / counted + farthest) / sqrt(self.dimensions)
        return sqrt(best / (counted * self.dimensions)) + farthest / sqrt(self.dimensions)

    def search(self, *, crafted: int, neighbors: int) -> HalvingSearch:
        """Halve λ from its bound until Krum selects a crafted row, whatever the order of the clients, or give up."""
        step = self.bound(crafted=crafted, neighbors=neighbors)
        while True:
            scores = self.scores(step, crafted=crafted, neighbors=neighbors)
            selected = bool(scores[-1] < scores[:-crafted].min())
            if selected or step < SMALLEST:
                return HalvingSearch(step, selected)
            step /= 2


def measure(benign: Matrix, signs: Vector, *, score: KrumScore = PUBLISHED) -> Geometry:
    """Measure the benign updates."""
    benign = check_matrix("measure", benign, name="benign")
    squares, slopes = benign.new_zeros(2, len(benign), dtype=torch.float64)
    for columns in column_blocks(benign):
        block = benign[:, columns].double()
        slopes += block @ signs[columns].double()
        squares += block.square().sum(dim=1)
    return Geometry(squared_distances(benign), squares, slopes, len(signs), score)


def farthest_selected(benign: Matrix, *, crafted: int, assumed: int, score: KrumScore = PUBLISHED) -> Vector:
    """Return the update that all `crafted` rows submit when the server's Krum assumes `assumed` malicious rows.

    A round with too few rows for that lowers the count to the most that Krum can bear. Where the released form has no
    neighbors left, it selects no crafted row, and the search gives up.
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

    They stand for the benign ones, and crafted rows are added until Krum, assuming as many malicious rows, selects
    one. It does so for any λ once the neighbors of a crafted row are all crafted: at the latest, when there is one
    more than there are `own`.
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
