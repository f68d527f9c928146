"""Players that keep to their contracts, to be broken in one place at a time."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import nn

from sparring.contracts import BlackBoxView
from sparring.data import Iid, from_arrays
from sparring.defenses import median


@dataclass(frozen=True)
class SoundRule:
    """The median, with a memory of its last step that it has no use for."""

    family: ClassVar[str] = "coordinate"

    def limit(self, clients):
        return 0

    def aggregate(self, view, memory):
        step = median(view.updates)
        return step, {"last": step.clone()} if len(view.updates) > 0 else memory


@dataclass(frozen=True)
class SoundAttack:
    """Submit the model."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        return view.parameters.expand(len(view.clients), -1)


@dataclass(frozen=True)
class SoundPoison:
    """Turn images upside down."""

    def poison(self, batch, rng):
        return batch._replace(inputs=batch.inputs.flip(-2))


@dataclass(frozen=True)
class SoundSource:
    """A class an axis."""

    def load(self):
        examples = np.eye(3, dtype=np.float32), np.arange(3)
        return from_arrays("axes", train=examples, test=examples)


@dataclass(frozen=True)
class SoundPartition:
    """Deal all examples at random."""

    def assign(self, labels, clients, rng):
        return Iid().assign(labels, clients, rng=rng)


@dataclass(frozen=True)
class SoundModel:
    """One linear layer."""

    width: int = 4
    activation: Literal["relu", "tanh"] = "relu"

    def module(self, shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes))


SOUND = (SoundRule(), SoundAttack(), SoundPoison(), SoundSource(), SoundPartition(), SoundModel())
