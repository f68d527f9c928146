"""EMNIST (Cohen et al., 2017): up to 814,255 gray images of 28×28, handwritten digits and letters."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.formats.idx import parse_idx, read_idx
from sparring.data.formats.publication import Publication
from sparring.data.formats.zipped import opened
from sparring.data.normalization import moments
from sparring.errors import DataError

Bytes = NDArray[np.uint8]

CLASSES = {"balanced": 47, "byclass": 62, "bymerge": 47, "digits": 10, "letters": 26, "mnist": 10}
FIRST = {"letters": 1}
"""The label of the first class, if it is not 0."""
ARCHIVE = "gzip.zip"
PARTS = {"train-images-idx3": 3, "train-labels-idx1": 1, "test-images-idx3": 3, "test-labels-idx1": 1}
"""The files of a split, and the rank of each."""

EMNIST = Publication(
    folder="emnist",
    mirror="https://biometrics.nist.gov/cs_links/EMNIST/",
    checksums={ARCHIVE: "58c8d27c78d21e728a6bc7b3cc06412e"},
)
"""Only the archive has a published checksum; files unpacked from it are only checked to be valid IDX files."""


@dataclass(frozen=True)
class Emnist:
    """Handwritten digits and letters, with one of six choices of classes and examples."""

    split: Literal["balanced", "byclass", "bymerge", "digits", "letters", "mnist"] = "balanced"
    """The published split: `byclass` has 62 classes, `bymerge` and `balanced` 47, `letters` 26, the others 10."""
    paper: ClassVar[str] = "Cohen et al., 2017, EMNIST: extending MNIST to handwritten letters, IJCNN"

    def load(self) -> Dataset:
        train_images, train_labels, test_images, test_labels = _arrays(self.split)
        first = FIRST.get(self.split, 0)
        train = _batch(train_images, train_labels, first=first)
        mean, std = moments(train.inputs)
        return Dataset(
            name="emnist",
            train=train,
            test=_batch(test_images, test_labels, first=first),
            classes=CLASSES[self.split],
            mean=mean,
            std=std,
        )


def _batch(images: Bytes, labels: Bytes, *, first: int) -> Batch:
    """Transpose the images, which are published column by column."""
    upright = np.ascontiguousarray(images.transpose(0, 2, 1))
    return Batch(torch.from_numpy(upright).unsqueeze(1), torch.from_numpy(labels).long() - first)


def _arrays(split: str) -> list[Bytes]:
    """Read the four files of a split, from separate files if the archive was unpacked by hand."""
    names = {f"emnist-{split}-{part}-ubyte": rank for part, rank in PARTS.items()}
    paths = {name: EMNIST.find(f"gzip/{name}.gz", f"{name}.gz", name) for name in names}
    if any(paths.values()):
        return [_read_unpacked(name, path, rank=names[name]) for name, path in paths.items()]
    archive = EMNIST.find(ARCHIVE) or EMNIST.fetch(ARCHIVE)
    return [_read_packed(archive, f"gzip/{name}.gz", rank=rank) for name, rank in names.items()]


def _read_unpacked(name: str, path: Path | None, *, rank: int) -> Bytes:
    if path is None:
        raise DataError(f"emnist: there is no {name}; unpack {ARCHIVE} again, or put it there packed")
    return read_idx(path, rank=rank)


def _read_packed(archive: Path, member: str, *, rank: int) -> Bytes:
    with opened(archive, member) as packed, gzip.open(packed) as content:
        return parse_idx(f"{archive}: {member}", content, rank=rank)
