"""FoolsGold (Fung et al., 2020): clients that keep sending the same are taken for one attacker."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, gram
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import admitted, weighted_sum
from sparring.defenses.aggregation.toolkit.client_memory import add_updates, enrolled, recalled
from sparring.validation import check_matrix, positive

EQUAL = 1e-9
"""Cosines this close to 1 are 1 but for rounding."""


def foolsgold(updates: Matrix, histories: Matrix, *, confidence: float = 1.0) -> Vector:
    """Add up the rows, each weighted by how unlike all others its client's history is, and divide by their number.

    The first rows of `histories` are the sums of what the updates' clients have sent, this round included; more rows
    are those of absent clients. Rows that are not finite are dropped. Where all histories are alike, and of no rows,
    the result is zero.
    """
    updates = check_matrix("foolsgold", updates)
    histories = check_matrix("foolsgold", histories, name="histories")
    positive("foolsgold", confidence=confidence)
    return weighted_sum(_shares(updates, histories, confidence=confidence), updates)


def _shares(updates: Matrix, histories: Matrix, *, confidence: float) -> Tensor:
    """Return what each row is multiplied by."""
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
    # Pardoning: a benign client may resemble a sybil, but resembles others less than the sybils do each other.
    pardons = (highest[:, None] / highest).nan_to_num_(nan=1).clamp_(max=1)
    unlike = 1 - (cosines * pardons).amax(dim=1)
    unlike = torch.where(unlike < EQUAL, 0, unlike)
    relative = unlike / unlike.max().clamp(min=EQUAL)
    return (confidence * (relative.logit() + 0.5)).clamp_(0, 1)


@dataclass(frozen=True)
class FoolsGold:
    """Weigh down the clients whose updates, summed up since the beginning, point the same way as another's.

    It remembers a vector for each client ever seen, and compares a client with all of them, absent ones too; all
    coordinates count as indicative. The weighted sum is divided by the number of updates, as in the authors' code for
    deep models, so that unlike clients are averaged. An attacker alone is not found, nor are benign clients that agree
    told from sybils: if all clients do, nothing moves.
    """

    confidence: float = 1.0
    """The published κ: how steeply the weight falls between clients that are unlike and alike."""
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
        updates = admitted(view.updates)
        ids = enrolled(memory, [view.clients[row] for row in rows])
        past = recalled(memory, "accumulators", ids=ids, new=torch.zeros_like(view.parameters))
        histories = add_updates(past, updates)
        shares = _shares(updates, histories, confidence=self.confidence)
        view.note("selected", [row for row, share in zip(rows, shares.tolist(), strict=True) if share > 0])
        return weighted_sum(shares, updates), {"clients": ids, "accumulators": histories}
