"""Mimic (Karimireddy et al., 2022): all malicious clients copy one benign client, so that it outweighs the others."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Matrix, gram
from sparring.attacks.untargeted.observed_updates import moments, submitted
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.validation import check_matrix


def most_extreme(updates: Matrix) -> int:
    """Return the row that lies farthest from the mean along the direction in which the rows vary most.

    The eigenvector of the largest eigenvalue of the rows' centered Gram matrix holds, up to a factor, their
    projections on that direction.
    """
    updates = check_matrix("most_extreme", updates, name="updates")
    mean, _ = moments(updates)
    products = gram(updates, mean)
    projections = torch.linalg.eigh(products).eigenvectors[:, -1]
    return int(projections.abs().argmax())


@dataclass(frozen=True)
class Mimic:
    """Submit a copy of the benign update that is farthest from the others in the direction of their largest variance.

    The authors learn that direction over warm-up rounds and then copy one client for good. Where clients are sampled
    that client is mostly absent, so here the direction is found, and the client chosen, anew from each round's benign
    updates; of the direction's two ends, the one that reaches farther. In a round without benign updates the clients
    submit their own.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    paper: ClassVar[str] = (
        "Karimireddy et al., 2022, Byzantine-robust learning on heterogeneous datasets via bucketing, ICLR"
    )
    cost: ClassVar[str] = "O(n^2 d + n^3)"
    assumption: ClassVar[str] = "benign clients hold different data, so that one of them can outweigh the others"

    def craft(self, view: OmniscientView) -> Matrix:
        return submitted(view, "full", made=lambda benign: benign[most_extreme(benign)])
