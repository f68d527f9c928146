"""CIFAR-10 (Krizhevsky, 2009): 60,000 color images of 32×32 in ten classes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.formats.cifar import SHAPE, Bytes, read_cifar
from sparring.data.formats.parts import parts
from sparring.data.formats.publication import Publication

CLASSES = 10
ARCHIVE = "cifar-10-binary.tar.gz"
UNPACKED = 1 << 28
"""Upper bound on the unpacked size of the archive, in bytes."""
EXAMPLES = 10_000
"""Number of examples in each part."""
TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{part}.bin" for part in range(1, 6))
PARTS = (*TRAIN, "cifar-10-batches-bin/test_batch.bin")

CIFAR10 = Publication(
    folder="cifar-10",
    mirror="https://www.cs.toronto.edu/~kriz/",
    checksums={
        ARCHIVE: "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin/data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "cifar-10-batches-bin/data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
        "cifar-10-batches-bin/data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "cifar-10-batches-bin/data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "cifar-10-batches-bin/data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        "cifar-10-batches-bin/test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
    },
)


@dataclass(frozen=True)
class Cifar10:
    """Photographs of animals and vehicles."""

    paper: ClassVar[str] = (
        "Krizhevsky, 2009, Learning multiple layers of features from tiny images, University of Toronto"
    )

    def load(self) -> Dataset:
        images = np.empty((len(PARTS), EXAMPLES, *SHAPE), np.uint8)
        labels = np.empty((len(PARTS), EXAMPLES, 1), np.uint8)
        for part, content in parts(CIFAR10, ARCHIVE, names=PARTS, limit=UNPACKED):
            row = PARTS.index(part)
            images[row], labels[row] = read_cifar(part, content, examples=EXAMPLES, classes=[CLASSES])
        return Dataset(
            name="cifar10",
            train=_split(images[: len(TRAIN)], labels[: len(TRAIN)]),
            test=_split(images[len(TRAIN) :], labels[len(TRAIN) :]),
            classes=CLASSES,
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2470, 0.2435, 0.2616),
        )


def _split(images: Bytes, labels: Bytes) -> Batch:
    return Batch(torch.from_numpy(images.reshape(-1, *SHAPE)), torch.from_numpy(labels.reshape(-1)).long())
