"""Neurotoxin (Zhang et al., 2022): a backdoor that lasts, in coordinates that benign training hardly moves."""

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
    """Return which coordinates are not among the share `top` of those with the largest values of `observed`."""
    kept = torch.ones_like(observed, dtype=torch.bool)
    kept[observed.abs().topk(round(top * len(observed))).indices] = False
    return kept


@dataclass(frozen=True)
class Neurotoxin(BackdoorPoison):
    """Train on triggered images without moving the coordinates that the last global update moved most (algorithm 1).

    After every local step the update is zero on them. Before a global update was seen all coordinates are free.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    top: float = 0.05
    """Share of the coordinates that are left alone."""
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
