"""FLTrust (Cao et al., 2021): updates are weighted by their cosine similarity with the server's own update."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import products_with, weighted_sum
from sparring.validation import check_matrix, check_vector


def fltrust(updates: Matrix, root: Vector) -> Vector:
    """Average the rows, rescaled to the norm of `root` and weighted by the positive part of their cosine with it.

    Zero and non-finite rows have no cosine and get weight zero. The result is zero if all weights are zero, or if
    `root` is zero or non-finite.
    """
    updates = check_matrix("fltrust", updates)
    root = check_vector("fltrust", root, of=updates, name="root")
    return weighted_sum(_weights(updates, root), updates)


def _weights(updates: Matrix, root: Vector) -> Tensor:
    """Return each row's weight (equations 2 to 4)."""
    norms, norm = row_norms(updates), torch.linalg.vector_norm(root.double())
    cosines = products_with(root, updates) / norms / norm
    trust = _zero_undefined(cosines).clamp_(min=0)
    return _zero_undefined(trust / trust.sum() * (norm / norms))


def _zero_undefined(quotients: Tensor) -> Tensor:
    """Replace non-finite quotients by zero."""
    return quotients.nan_to_num(nan=0, posinf=0, neginf=0)


@dataclass(frozen=True)
class FLTrust:
    r"""Weight the rows by their agreement with the server's own update on root data; no benign majority is needed.

    $$\frac{1}{\sum_j t_j} \sum_{i=1}^{n} t_i \frac{\lVert u_0 \rVert}{\lVert u_i \rVert} u_i, \quad
    t_i = \max(0, \cos(u_i, u_0))$$

    $u_0$ is the server's own update on root data.
    """

    family: ClassVar[Family] = "root"
    paper: ClassVar[str] = (
        "Cao et al., 2021, FLTrust: Byzantine-robust federated learning via trust bootstrapping, NDSS"
    )
    cost: ClassVar[str] = "O(n d), and training on the root data"
    assumption: ClassVar[str] = "root data resemble the clients' data; no benign majority is needed"

    def limit(self, clients: int) -> int:
        return clients

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        weights = _weights(view.updates, view.root())
        view.note("selected", weights.nonzero().flatten().tolist())
        return weighted_sum(weights, view.updates), memory
