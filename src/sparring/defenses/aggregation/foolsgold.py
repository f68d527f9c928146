"""FoolsGold (Fung et al., 2020): clients whose updates keep pointing the same way are treated as sybils."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, gram
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import drop_non_finite, weighted_sum
from sparring.defenses.aggregation.toolkit.client_memory import add_updates, list_client_ids, recall
from sparring.validation import check_matrix, positive

EQUAL = 1e-9
"""Cosines this close to 1 count as 1, to allow for rounding."""


def foolsgold(updates: Matrix, histories: Matrix, *, confidence: float = 1.0) -> Vector:
    """Sum the rows, each weighted by how much its client's history differs from all others, and divide by their number.

    The first rows of `histories` are the sums of the updates' clients so far, including this round; further rows belong
    to absent clients. Non-finite rows are dropped. The result is zero if all histories are alike, or without rows.
    """
    updates = check_matrix("foolsgold", updates)
    histories = check_matrix("foolsgold", histories, name="histories")
    positive("foolsgold", confidence=confidence)
    return weighted_sum(_shares(updates, histories, confidence=confidence), updates)


def _shares(updates: Matrix, histories: Matrix, *, confidence: float) -> Tensor:
    """Return each row's weight."""
    finite = finite_rows(histories)
    finite[: len(updates)] &= finite_rows(updates)
    rows = finite.nonzero().flatten()
    weights = histories.new_zeros(len(histories), dtype=torch.float64)
    if len(rows) > 0:
        kept = histories if finite.all() else histories[rows]
        weights[rows] = _weights(gram(kept, torch.zeros_like(histories[0])), confidence)
    return weights[: len(updates)] / finite[: len(updates)].sum().clamp(min=1)


def _weights(products: Tensor, confidence: float) -> Tensor:
    """Return each client's learning rate, given all histories' inner products (algorithm 1)."""
    norms = products.diagonal().sqrt()
    cosines = (products / norms / norms[:, None]).nan_to_num_(nan=0, posinf=0, neginf=0).fill_diagonal_(0)
    highest = cosines.amax(dim=1)
    # Pardoning: a benign client may resemble a sybil, but less than the sybils resemble each other.
    pardons = (highest[:, None] / highest).nan_to_num_(nan=1).clamp_(max=1)
    unlike = 1 - (cosines * pardons).amax(dim=1)
    unlike = torch.where(unlike < EQUAL, 0, unlike)
    relative = unlike / unlike.max().clamp(min=EQUAL)
    return (confidence * (relative.logit() + 0.5)).clamp_(0, 1)


@dataclass(frozen=True)
class FoolsGold:
    r"""Lower the weight of clients whose summed updates point in the same direction as another client's.

    $$\frac{1}{n} \sum_{i=1}^{n} \alpha_i u_i, \quad
    \alpha_i = \kappa \left(\ln \frac{a_i}{1 - a_i} + \frac{1}{2}\right) \text{ clipped to } [0, 1], \quad a_i =
    \frac{v_i}{\max_j v_j}$$

    $v_i = 1 - \max_j p_{ij} c_{ij}$: the cosine $c_{ij}$ of the summed updates of clients $i$ and $j$, with the pardon
    $p_{ij} = \min(1, \max_k c_{ik} / \max_k c_{jk})$.

    It stores a vector for each client ever seen, and compares a client with all of them, including absent ones; all
    coordinates count as indicative. The weighted sum is divided by the number of updates, as in the authors' code for
    deep models, so that dissimilar clients are averaged. It cannot detect a single attacker, nor distinguish agreeing
    benign clients from sybils: if all clients agree, the model does not move.
    """

    confidence: float = 1.0
    """The published κ: how steeply the weight falls between dissimilar and similar clients."""
    family: ClassVar[Family] = "filtering"
    per_client: ClassVar[bool] = True
    paper: ClassVar[str] = "Fung et al., 2020, The limitations of federated learning in sybil settings, RAID"
    cost: ClassVar[str] = "O(N^2 d) for N clients seen so far"
    assumption: ClassVar[str] = "several malicious clients send updates more alike than those of benign clients"

    def __post_init__(self) -> None:
        positive("foolsgold", confidence=self.confidence)

    def limit(self, clients: int) -> int:
        return max(0, clients - 1)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        rows = finite_rows(view.updates).nonzero().flatten().tolist()
        if not rows:
            return torch.zeros_like(view.parameters), memory
        updates = drop_non_finite(view.updates)
        ids = list_client_ids(memory, [view.clients[row] for row in rows])
        past = recall(memory, "accumulators", ids=ids, new=torch.zeros_like(view.parameters))
        histories = add_updates(past, updates)
        shares = _shares(updates, histories, confidence=self.confidence)
        view.note("selected", [row for row, share in zip(rows, shares.tolist(), strict=True) if share > 0])
        return weighted_sum(shares, updates), {"clients": ids, "accumulators": histories}
