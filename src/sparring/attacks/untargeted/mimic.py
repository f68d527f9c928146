"""Mimic (Karimireddy et al., 2022): all malicious clients copy one benign client, which is then over-represented."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Matrix, gram
from sparring.attacks.untargeted.observed_updates import craft_or_submit_own, moments
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.validation import check_matrix


def most_extreme(updates: Matrix) -> int:
    """Return the row that lies farthest from the mean along the direction of largest variance.

    The eigenvector of the largest eigenvalue of the rows' centered Gram matrix is proportional to their projections
    on that direction.
    """
    updates = check_matrix("most_extreme", updates, name="updates")
    mean, _ = moments(updates)
    products = gram(updates, mean)
    projections = torch.linalg.eigh(products).eigenvectors[:, -1]
    return int(projections.abs().argmax())


@dataclass(frozen=True)
class Mimic:
    r"""Submit a copy of the benign update that is farthest from the mean in the direction of largest variance.

    $$u_{i^*}, \quad i^* = \mathrm{arg} \max_i |\langle u_i - \mu, v \rangle|, \quad
    v = \mathrm{arg} \max_{\lVert v \rVert = 1} \sum_i \langle u_i - \mu, v \rangle^2$$

    $\mu$ is the mean of the benign updates $u_i$.

    The authors learn that direction over warm-up rounds and then always copy the same client. With client sampling
    that client is usually absent, so here direction and client are determined from each round's benign updates; of
    the direction's two ends, the one farther out is used. In a round without benign updates the clients submit their
    own.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    paper: ClassVar[str] = (
        "Karimireddy et al., 2022, Byzantine-robust learning on heterogeneous datasets via bucketing, ICLR"
    )
    cost: ClassVar[str] = "O(n^2 d + n^3)"
    assumption: ClassVar[str] = "benign clients hold different data, so that one of them can outweigh the others"

    def craft(self, view: OmniscientView) -> Matrix:
        return craft_or_submit_own(view, "full", made=lambda benign: benign[most_extreme(benign)])
