"""Players that keep to their contracts, to be broken in one place at a time."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.contracts import BlackBoxView, Model, Purified, RoundPlan
from sparring.data import Iid, from_arrays
from sparring.defenses import NeuroClip, NormBounding, median


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
class SoundServer:
    """Halve the norm bound in each round, and deploy with a range that follows from the round."""

    def plan(self, view, memory):
        round = torch.tensor(float(view.round))
        return RoundPlan(NormBounding(2.0 ** -float(round)), self.deployed({"round": round})), {"round": round}

    def deployed(self, memory):
        return NeuroClip(1.0 + float(memory["round"])) if memory else None


@dataclass(frozen=True)
class SoundAttack:
    """Submit the model."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        return view.parameters.expand(len(view.clients), -1)


@dataclass(frozen=True)
class SoundMemory:
    """Submit the model, scaled by the number of rounds in which it was asked."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        return self.craft_from(view, {})[0]

    def craft_from(self, view, memory):
        rounds = memory.get("rounds", torch.zeros(())) + 1
        return (rounds * view.parameters).expand(len(view.clients), -1), {"rounds": rounds}


@dataclass(frozen=True)
class SoundPoison:
    """Turn images upside down."""

    def poison(self, batch, *, client, rng):
        return batch._replace(inputs=batch.inputs.flip(-2))


@dataclass(frozen=True)
class SoundTrigger:
    """Invert the first row of pixels."""

    def stamp(self, images):
        return torch.cat([1 - images[..., :1, :], images[..., 1:, :]], dim=-2)


@dataclass(frozen=True)
class SoundBackdoor:
    """Label inverted images with the target, and submit what training on them gives."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    target: int = 2

    def meant(self, labels):
        return labels != self.target

    def triggered(self, batch):
        return Batch(SoundTrigger().stamp(batch.inputs), torch.full_like(batch.labels, self.target))

    def poison(self, batch, *, client, rng):
        return self.triggered(batch)

    def craft(self, view):
        return view.own().nan_to_num()


@dataclass(frozen=True)
class SoundPerturbation:
    """Move what it remembers into every input."""

    def prepare(self, preparation):
        return {"shift": preparation.train.inputs.mean(dim=0)}

    def perturb(self, view, memory):
        return torch.lerp(view.batch.inputs, memory["shift"], 0.5), memory


@dataclass(frozen=True)
class SoundPurification:
    """Draw noise, and count the rounds."""

    def purify(self, view, memory):
        noise = torch.from_numpy(view.rng.random(view.batch.inputs.shape)).float()
        inputs = torch.lerp(view.batch.inputs, noise, 0.1)
        return Purified(Batch(inputs, view.batch.labels)), {"rounds": memory.get("rounds", torch.zeros(())) + 1}


@dataclass(frozen=True)
class SoundRepair:
    """Halve the parameters."""

    needs_root: ClassVar[bool] = False

    def repair(self, model, *, root, rng):
        return Model(model.network, model.parameters / 2)


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


SOUND = (
    *(
        SoundRule(),
        SoundServer(),
        SoundRepair(),
        SoundAttack(),
        SoundMemory(),
        SoundPoison(),
        SoundTrigger(),
        SoundBackdoor(),
        SoundPerturbation(),
        SoundPurification(),
    ),
    *(SoundSource(), SoundPartition(), SoundModel()),
)
