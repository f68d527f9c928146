"""A plug-in with two baselines as implemented in the public code of Li et al. (2022), which differ from their names.

`sparring sweep docs/results/released-baselines.yaml --plugin studies.released --out runs/released-baselines`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import benign_updates, directions, own_updates
from sparring.contracts import BlackBoxView, OmniscientView

SMALLEST = 1e-5
"""The final λ of the search: it evaluates Krum without the crafted updates, and therefore never succeeds."""


@dataclass(frozen=True)
class ReleasedBoosting:
    """Submit the boosted update of the last benign client: the result of the malicious clients' ascent is not used."""

    needs: ClassVar[type[BlackBoxView]] = OmniscientView

    def craft(self, view: OmniscientView) -> Matrix:
        benign = benign_updates(view)
        if len(benign) == 0:
            return own_updates(view)
        boost = view.sampled / len(view.clients)
        return (boost * benign[-1]).nan_to_num_().expand(len(view.clients), -1)


@dataclass(frozen=True)
class ReleasedPoisoning:
    """Submit a step of 1e-5 on every coordinate against the benign mean: the smallest step of the search."""

    needs: ClassVar[type[BlackBoxView]] = OmniscientView

    def craft(self, view: OmniscientView) -> Matrix:
        benign = benign_updates(view)
        return own_updates(view) if len(benign) == 0 else (-SMALLEST * directions(benign)).expand(len(view.clients), -1)


ATTACKS: Mapping[str, type] = {"released_eb": ReleasedBoosting, "released_lmp": ReleasedPoisoning}
