"""A plug-in with one of everything, as a user would write it."""

import sys
from pathlib import Path

import pytest

MODULE = "my_players"

SOURCE = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from sparring.arrays import Batch, finite_rows
from sparring.contracts import BlackBoxView, Defense, Model, Trigger
from sparring.data import from_arrays
from sparring.data.partitions.iid import iid

__version__ = "1.2"


@dataclass(frozen=True)
class Midrange:
    """Average the extremes."""

    family: ClassVar[str] = "coordinate"

    def limit(self, clients):
        return 0

    def aggregate(self, view, memory):
        rows = view.updates[finite_rows(view.updates)]
        if len(rows) == 0:
            return torch.zeros_like(view.parameters), memory
        low, high = rows.aminmax(dim=0)
        return low / 2 + high / 2, memory


@dataclass(frozen=True)
class Behind:
    """Play another rule."""

    inner: Defense

    @property
    def family(self):
        return self.inner.family

    def limit(self, clients):
        return self.inner.limit(clients)

    def aggregate(self, view, memory):
        return self.inner.aggregate(view, memory)


@dataclass(frozen=True)
class Shrinking:
    """Submit the model itself."""

    needs: ClassVar[type] = BlackBoxView
    share: float = 1.0

    def craft(self, view):
        return (self.share * view.parameters).expand(len(view.clients), -1)


@dataclass(frozen=True)
class Darker:
    """Halve the brightness."""

    def poison(self, batch, *, client, rng):
        return batch._replace(inputs=batch.inputs / 2)


@dataclass(frozen=True)
class Raised:
    """Raise the first value of every example."""

    def stamp(self, images):
        raised = images.clone()
        raised.view(len(images), -1)[:, 0] = 1
        return raised


@dataclass(frozen=True)
class Sleeping:
    """Train on raised examples as if they were of the target class, and submit what comes of it."""

    needs: ClassVar[type] = BlackBoxView
    trigger: Trigger = Raised()
    target: int = 1

    def meant(self, labels):
        return labels != self.target

    def triggered(self, batch):
        return Batch(self.trigger.stamp(batch.inputs), torch.full_like(batch.labels, self.target))

    def poison(self, batch, *, client, rng):
        return self.triggered(batch)

    def craft(self, view):
        return view.own().nan_to_num()


@dataclass(frozen=True)
class Rounded:
    """Round the parameters."""

    needs_root: ClassVar[bool] = False
    digits: int = 2

    def repair(self, model, *, root, rng):
        return Model(model.network, model.parameters.round(decimals=self.digits))


@dataclass(frozen=True)
class Stairs:
    """Four classes of steps."""

    def load(self):
        labels = np.arange(160) % 4
        inputs = np.eye(4, 6, dtype=np.float32)[labels]
        return from_arrays("stairs", train=(inputs, labels), test=(inputs[:8], labels[:8]))


@dataclass(frozen=True)
class Dealt:
    """Deal the examples out."""

    def assign(self, labels, clients, rng):
        return iid(labels, clients, rng=rng)


@dataclass(frozen=True)
class Narrow:
    """One layer without bias."""

    def module(self, shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), classes, bias=False))


ATTACKS = {"shrinking": Shrinking, "darker": Darker, "sleeping": Sleeping}
TRIGGERS = {"raised": Raised}
POST_TRAINING = {"rounded": Rounded}
DEFENSES = {"midrange": Midrange, "behind": Behind}
DATASETS = {"stairs": Stairs}
PARTITIONS = {"dealt": Dealt}
MODELS = {"narrow": Narrow}
'''

SLEEPING = "{name: sleeping, malicious: 1, trigger: {name: raised}}"
EVERYTHING = (
    *("data={name: stairs, root_size: 8, partition: {name: dealt}}", "model.name=narrow"),
    *("attack=", f"attacks=[{{name: shrinking, malicious: 1}}, {{name: darker, malicious: 1}}, {SLEEPING}]"),
    *("defense={name: behind, inner: {name: midrange}}", "threat.assumed_malicious=0"),
    "post_training.name=rounded",
)
"""Settings that name all of it but for itself."""


def write_plugin(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str = SOURCE, module: str = MODULE) -> str:
    """Write a module into a folder, work there, and forget the module afterwards."""
    # Compiled code is kept by the second and the size of its source: two versions within one second would be the same.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(folder)
    forget(monkeypatch, module)
    return module


def forget(monkeypatch: pytest.MonkeyPatch, module: str = MODULE) -> None:
    """Let a module be imported anew; what the test imports is gone when it ends."""
    monkeypatch.setitem(sys.modules, module, None)
    del sys.modules[module]
