"""Two baselines as the public code of Li et al. (2022) plays them, which is not what their names say: a plug-in.

`sparring sweep docs/results/released-baselines.yaml --plugin studies.released --out runs/released-baselines`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import benign_updates, directions, own_updates
from sparring.contracts import BlackBoxView, OmniscientView

SMALLEST = 1e-5
"""Where the search for λ ends that asks Krum about a list without the crafted updates, and so never succeeds."""


@dataclass(frozen=True)
class ReleasedBoosting:
    """Submit the last benign client's update, boosted: the model that the malicious clients climb to is never read."""

    needs: ClassVar[type[BlackBoxView]] = OmniscientView

    def craft(self, view: OmniscientView) -> Matrix:
        benign = benign_updates(view)
        if len(benign) == 0:
            return own_updates(view)
        boost = view.sampled / len(view.clients)
        return (boost * benign[-1]).nan_to_num_().expand(len(view.clients), -1)


@dataclass(frozen=True)
class ReleasedPoisoning:
    """Submit a step of 1e-5 on every coordinate, against the benign mean: the smallest that the search tries."""

    needs: ClassVar[type[BlackBoxView]] = OmniscientView

    def craft(self, view: OmniscientView) -> Matrix:
        benign = benign_updates(view)
        return own_updates(view) if len(benign) == 0 else (-SMALLEST * directions(benign)).expand(len(view.clients), -1)


ATTACKS: Mapping[str, type] = {"released_eb": ReleasedBoosting, "released_lmp": ReleasedPoisoning}
