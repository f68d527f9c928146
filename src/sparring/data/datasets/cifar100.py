"""CIFAR-100 (Krizhevsky, 2009): 60,000 color images of 32×32 in a hundred classes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.formats.cifar import read_cifar
from sparring.data.formats.parts import parts
from sparring.data.formats.publication import Publication
from sparring.data.normalization import moments

CLASSES = {"coarse": 20, "fine": 100}
"""The label columns of a record, in order, with their numbers of classes."""
ARCHIVE = "cifar-100-binary.tar.gz"
UNPACKED = 1 << 28
"""Upper bound on the unpacked size of the archive, in bytes."""
TRAIN = "cifar-100-binary/train.bin"
TEST = "cifar-100-binary/test.bin"
EXAMPLES = {TRAIN: 50_000, TEST: 10_000}

CIFAR100 = Publication(
    folder="cifar-100",
    mirror="https://www.cs.toronto.edu/~kriz/",
    checksums={
        ARCHIVE: "03b5dce01913d631647c71ecec9e9cb8",
        TRAIN: "6172c7755cfe09b2fe270c85cebc1b15",
        TEST: "4499cfba6c016c1be1438163640a0898",
    },
)


@dataclass(frozen=True)
class Cifar100:
    """Photographs of living beings and things, in 100 fine classes or 20 coarse classes."""

    labels: Literal["fine", "coarse"] = "fine"
    """The 100 `fine` classes, or the 20 `coarse` ones."""
    paper: ClassVar[str] = (
        "Krizhevsky, 2009, Learning multiple layers of features from tiny images, University of Toronto"
    )

    def load(self) -> Dataset:
        contents = parts(CIFAR100, ARCHIVE, names=tuple(EXAMPLES), limit=UNPACKED)
        splits = {part: self._split(part, content) for part, content in contents}
        mean, std = moments(splits[TRAIN].inputs)
        return Dataset(
            name="cifar100",
            train=splits[TRAIN],
            test=splits[TEST],
            classes=CLASSES[self.labels],
            mean=mean,
            std=std,
        )

    def _split(self, part: str, content: bytes) -> Batch:
        images, labels = read_cifar(part, content, examples=EXAMPLES[part], classes=tuple(CLASSES.values()))
        chosen = labels[:, list(CLASSES).index(self.labels)]
        return Batch(torch.from_numpy(images.copy()), torch.from_numpy(chosen.copy()).long())
