"""Local model poisoning against distance-based rules (Fang et al., 2020, section 4.2).

All crafted models are w_t - λ s, the paper's s being the direction in which the honest models move: in updates, -λ
times the direction of the honest mean. λ is the largest that the search finds to be selected by Krum.
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, neighbor_scores, squared_distances
from sparring.attacks.crafted.knowledge import directions

SMALLEST = 1e-5
"""The λ below which the search gives up."""


class Search(NamedTuple):
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

    def scores(self, step: float, *, crafted: int, neighbors: int) -> Tensor:
        """Return Krum's scores: of each benign row, then of each crafted one."""
        benign = len(self.squares)
        between = self.squares + 2 * step * self.slopes + step**2 * self.dimensions
        table = self.squares.new_zeros(benign + crafted, benign + crafted)
        table[:benign, :benign] = self.distances
        table[:benign, benign:] = between[:, None]
        table[benign:, :benign] = between
        return neighbor_scores(table.clamp_(min=0), neighbors)

    def bound(self, *, crafted: int, neighbors: int) -> float:
        """Return the upper bound of the λ that Krum selects (theorem 1, for any number of neighbors).

        A crafted row has `crafted - 1` neighbors at distance 0. Where these are all that are counted, or where the
        benign rows are too few to be each other's, any λ may be selected, and this is only where to start.
        """
        counted = max(1, neighbors - crafted + 1)
        best = neighbor_scores(self.distances, neighbors).min().item()
        farthest = self.squares.max().sqrt().item()
        return sqrt(best / (counted * self.dimensions)) + farthest / sqrt(self.dimensions)

    def search(self, *, crafted: int, neighbors: int) -> Search:
        """Halve λ from its bound until Krum selects a crafted row, whatever the order of the clients, or give up."""
        step = self.bound(crafted=crafted, neighbors=neighbors)
        while True:
            scores = self.scores(step, crafted=crafted, neighbors=neighbors)
            selected = bool(scores[-1] < scores[:-crafted].min())
            if selected or step < SMALLEST:
                return Search(step, selected)
            step /= 2


def measure(benign: Matrix, signs: Vector) -> Geometry:
    """Measure the benign updates."""
    squares, slopes = benign.new_zeros(2, len(benign), dtype=torch.float64)
    for columns in column_blocks(benign):
        block = benign[:, columns].double()
        slopes += block @ signs[columns].double()
        squares += block.square_().sum(dim=1)
    return Geometry(squared_distances(benign), squares, slopes, len(signs))


def farthest_selected(honest: Matrix, *, crafted: int, assumed: int) -> Vector:
    """Return the update that all `crafted` rows submit when the server's Krum assumes `assumed` malicious rows.

    A round with too few rows for that lowers the count to the most that Krum can bear, the largest f with 2f + 2 < n.
    """
    signs = directions(honest)
    rows = len(honest) + crafted
    bearable = max(0, (rows - 3) // 2)
    neighbors = max(1, rows - min(assumed, bearable) - 2)
    found = measure(honest, signs).search(crafted=crafted, neighbors=neighbors)
    return (signs * -found.step).nan_to_num_()


def farthest_expected(own: Matrix) -> Vector:
    """Return the update to submit when only the malicious clients' `own` updates are known (partial knowledge).

    They stand for the benign ones, and crafted rows are added until Krum, assuming as many malicious rows, selects
    one. It does so for any λ once the neighbors of a crafted row are all crafted: at the latest, when there is one
    more than there are `own`.
    """
    signs = directions(own)
    geometry = measure(own, signs)
    neighbors = max(1, len(own) - 2)
    for crafted in range(1, len(own) + 2):
        found = geometry.search(crafted=crafted, neighbors=neighbors)
        if found.selected:
            break
    return (signs * -found.step).nan_to_num_()
