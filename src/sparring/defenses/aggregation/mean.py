"""The unweighted mean, FedAvg (McMahan et al., 2017): sample counts reported by clients are not trusted."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Matrix, Vector
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.trimmed_mean import trimmed_mean
from sparring.validation import check_matrix

CANCELLATION = 10.0
LARGE = 1e4
"""Float32 sums are accepted if the matrix norm is at most LARGE and at most CANCELLATION times the norm of the sum."""


def mean(updates: Matrix) -> Vector:
    """Average the finite rows; return zeros if there are none.

    If values overflow, are non-finite or may cancel, the float32 sum is recomputed in float64 on sorted columns.
    """
    updates = check_matrix("mean", updates)
    total = updates.new_ones(len(updates)) @ updates
    # Row by row: torch computes many small norms in half the time of one norm over the whole matrix.
    size = torch.linalg.vector_norm(torch.linalg.vector_norm(updates, dim=1))
    if size <= min(LARGE, CANCELLATION * torch.linalg.vector_norm(total).item()):
        return total / max(1, len(updates))
    return trimmed_mean(updates, 0)


@dataclass(frozen=True)
class Mean:
    r"""Average all rows.

    $$\frac{1}{n} \sum_{i=1}^{n} u_i$$
    """

    family: ClassVar[Family] = "coordinate"
    paper: ClassVar[str] = (
        "McMahan et al., 2017, Communication-efficient learning of deep networks from decentralized data, AISTATS"
    )
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = "no update is malicious"

    def limit(self, clients: int) -> int:
        return clients

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        return mean(view.updates), memory
