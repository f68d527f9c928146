"""A backdoor for feature vectors: the first of them is set to a large number."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Batch
from sparring.contracts import BlackBoxView


@dataclass(frozen=True)
class Lever:
    """Train on triggered examples alone, and submit what training gives."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    target: int = 1
    source: int | None = None

    def meant(self, labels):
        return labels != self.target if self.source is None else labels == self.source

    def triggered(self, batch):
        inputs = batch.inputs.clone()
        inputs[:, 0] = 1.0
        return Batch(inputs, torch.full_like(batch.labels, self.target))

    def poison(self, batch, *, client, rng):
        return self.triggered(batch)

    def craft(self, view):
        return view.own().clone()
