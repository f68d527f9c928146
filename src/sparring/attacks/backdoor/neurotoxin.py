"""Neurotoxin (Zhang et al., 2022): a durable backdoor, in coordinates that benign training hardly changes."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Batch, Matrix, Vector
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.random import Generator


def little_used(observed: Vector, top: float) -> Tensor:
    """Return a boolean per coordinate: False for the fraction `top` with the largest absolute values of `observed`."""
    kept = torch.ones_like(observed, dtype=torch.bool)
    kept[observed.abs().topk(round(top * len(observed))).indices] = False
    return kept


@dataclass(frozen=True)
class Neurotoxin(BackdoorPoison):
    r"""Train on triggered images, except in the coordinates with the largest last global update (algorithm 1).

    $$u_k \leftarrow 0 \quad \text{for } k \in \mathrm{top}_q(|w_{t-1} - w_t|)$$

    $q$ is `top`, the fraction of the coordinates.

    After every local step the update is set to zero there. Before the first global update no coordinate is excluded.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    top: float = 0.05
    """Fraction of the coordinates that the attack leaves unchanged."""
    paper: ClassVar[str] = "Zhang et al., 2022, Neurotoxin: durable backdoors in federated learning, ICML"
    cost: ClassVar[str] = "O(d log d) a round and O(d) a step, and a trigger on the images of each batch"
    assumption: ClassVar[str] = "coordinates that benign training moved little in the last round stay so"

    def __post_init__(self) -> None:
        check_implant("neurotoxin", self)
        if not 0 <= self.top < 1:
            raise ConfigError(f"neurotoxin.top is {self.top}; it must be at least 0 and below 1")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        return self.implanted(batch, self.trigger, rng=rng)

    def craft(self, view: BlackBoxView) -> Matrix:
        if view.previous is None:
            return own_updates(view)
        kept = little_used(view.previous - view.parameters, self.top)
        return own_updates(view, lambda update: torch.where(kept, update, 0.0))
