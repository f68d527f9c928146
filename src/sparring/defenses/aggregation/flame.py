"""FLAME (Nguyen et al., 2022): cluster the local models, drop outliers, clip the others, and add noise."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, gram, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import (
    add_noise,
    clip_factors,
    drop_non_finite,
    middle,
    note_shares,
    share_average,
)
from sparring.defenses.aggregation.toolkit.clustering import densest_majority
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.random import Generator
from sparring.validation import at_least, check_matrix, check_vector


def flame(updates: Matrix, parameters: Vector, *, rng: Generator, noise: float = 0.001) -> Vector:
    """Average the updates in the main cluster, clipped to the median norm, and add noise of `noise` times that norm.

    A row's model is `parameters` minus the row. HDBSCAN on the models' cosine distances, with clusters of more than
    half of them, drops the outliers; the bound and the noise are computed from all finite rows (algorithm 1). Return
    zeros if there are no rows.
    """
    updates = check_matrix("flame", updates)
    parameters = check_vector("flame", parameters, of=updates, name="parameters")
    at_least(0, "flame", noise=noise)
    shares, bound = _shares(updates, parameters)
    return add_noise(share_average(updates, shares), noise * bound, rng=rng)


def _shares(updates: Matrix, parameters: Vector) -> tuple[Tensor, float]:
    """Return each row's clipping factor, 0 for a dropped row, and the norm bound."""
    rows = finite_rows(updates).nonzero().flatten()
    norms = row_norms(updates)[rows]
    bound = middle(norms)
    alike = densest_majority(_cosine_distances(gram(drop_non_finite(updates), parameters)))
    shares = norms.new_zeros(len(updates))
    shares[rows] = torch.where(alike, clip_factors(norms, bound), 0)
    return shares, float(bound)


def _cosine_distances(products: Tensor) -> Tensor:
    """Return one minus the cosines, given all inner products; a zero row is at distance 1 from all others."""
    norms = products.diagonal().sqrt()
    cosines = (products / norms / norms[:, None]).nan_to_num_(nan=0, posinf=0, neginf=0)
    return (1 - cosines).clamp_(min=0)


@dataclass(frozen=True)
class FLAME:
    r"""Drop the outliers among the local models, clip the other updates to the median norm, average, and add noise.

    $$\frac{1}{|S|} \sum_{i \in S} u_i \min\left(1, \frac{m}{\lVert u_i \rVert}\right) + \mathcal{N}(0, (\lambda
    m)^2), \quad
    m = \mathrm{med}(\lVert u_1 \rVert, \ldots, \lVert u_n \rVert)$$

    $S$ is the main cluster of the models $w_t - u_i$ by their cosine distances, and $\lambda$ is `noise`.
    """

    noise: float = 0.001
    """The published λ: standard deviation of the noise as a fraction of the median norm."""
    family: ClassVar[Family] = "filtering"
    paper: ClassVar[str] = "Nguyen et al., 2022, FLAME: taming backdoors in federated learning, USENIX Security"
    cost: ClassVar[str] = "O(n^2 d)"
    assumption: ClassVar[str] = "benign models are the majority and point in similar directions"

    def __post_init__(self) -> None:
        at_least(0, "flame", noise=self.noise)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        updates = check_matrix("flame", view.updates)
        shares, bound = _shares(updates, view.parameters)
        note_shares(view, shares)
        return add_noise(share_average(updates, shares), self.noise * bound, rng=view.rng), memory
