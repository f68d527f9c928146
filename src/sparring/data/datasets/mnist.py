"""MNIST (LeCun et al., 1998) and Fashion-MNIST (Xiao et al., 2017): 70,000 gray images of 28×28 in ten classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.formats.idx import read_idx
from sparring.data.formats.publication import Publication
from sparring.data.normalization import Moments

CLASSES = 10

MNIST = Publication(
    folder="mnist",
    mirror="https://ossci-datasets.s3.amazonaws.com/mnist/",
    checksums={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
)

FASHION_MNIST = Publication(
    folder="fashion-mnist",
    mirror="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    checksums={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
)


@dataclass(frozen=True)
class Mnist:
    """Handwritten digits."""

    paper: ClassVar[str] = (
        "LeCun et al., 1998, Gradient-based learning applied to document recognition, Proceedings of the IEEE"
    )

    def load(self) -> Dataset:
        return _load("mnist", MNIST, normalization=Moments(mean=(0.1307,), std=(0.3081,)))


@dataclass(frozen=True)
class FashionMnist:
    """Articles of clothing."""

    paper: ClassVar[str] = (
        "Xiao et al., 2017, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms, "
        "arXiv:1708.07747"
    )

    def load(self) -> Dataset:
        return _load("fashion_mnist", FASHION_MNIST, normalization=Moments(mean=(0.2860,), std=(0.3530,)))


def _load(name: str, publication: Publication, *, normalization: Moments) -> Dataset:
    return Dataset(
        name=name,
        train=_split(publication, "train"),
        test=_split(publication, "t10k"),
        classes=CLASSES,
        mean=normalization.mean,
        std=normalization.std,
    )


def _split(publication: Publication, split: str) -> Batch:
    images = read_idx(_obtain(publication, f"{split}-images-idx3-ubyte"), rank=3)
    labels = read_idx(_obtain(publication, f"{split}-labels-idx1-ubyte"), rank=1)
    return Batch(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())


def _obtain(publication: Publication, name: str) -> Path:
    packed = f"{name}.gz"
    return publication.find(packed, name) or publication.fetch(packed)
