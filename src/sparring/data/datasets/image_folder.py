"""A folder of images with one subfolder per class, the layout of ImageNet and its subsets."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import torch

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.formats.images import read_image
from sparring.data.normalization import moments
from sparring.errors import ConfigError, DataError
from sparring.registry import Stored

Classes = Mapping[str, Sequence[Path]]
"""The images of each class: classes in natural order, images sorted by name."""


def located(root: str) -> Path:
    """Return the folder that an option names; `~` is the user's home."""
    return Path(os.path.expanduser(root))


@dataclass(frozen=True)
class ImageFolder:
    """Your own images: `root`/train/CLASS/… and `root`/test/CLASS/… (or val), cropped to `size`×`size` pixels.

    Classes are numbered in the natural order of their names, 2 before 10. Images may lie in subfolders of their class
    folder; names that begin with a dot are ignored.
    """

    root: Annotated[str, Stored(located)]
    """The folder that holds `train`, and `test` or `val`."""
    size: int = 64
    """Pixels of an image's side after cropping and scaling, from 8 to 1024."""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 1024:
            raise ConfigError(f"image_folder: size is {self.size}; it must be 8 to 1024")

    def load(self) -> Dataset:
        root = located(self.root)
        training, testing = root / "train", root / ("test" if (root / "test").is_dir() else "val")
        classes, tested = _classes(training), _classes(testing)
        for name in sorted(classes.keys() ^ tested.keys()):
            having, lacking = (training, testing) if name in classes else (testing, training)
            raise DataError(f"image_folder: {having} has the class {name!r}, {lacking} has not; give both the same")
        train = _batch(classes, self.size)
        mean, std = moments(train.inputs)
        test = _batch(tested, self.size)
        return Dataset(
            name="image_folder",
            train=train,
            test=test,
            classes=len(classes),
            class_names=_printable(classes),
            mean=mean,
            std=std,
        )


def _classes(split: Path) -> Classes:
    if not split.is_dir():
        raise DataError(f"image_folder: {split} is not a folder; root must hold the folders train, and test or val")
    folders = [each for each in split.iterdir() if each.is_dir() and not each.name.startswith(".")]
    if not folders:
        raise DataError(f"image_folder: {split} has no class; give it a folder of images for each class")
    return {folder.name: _images(folder) for folder in sorted(folders, key=_natural)}


def _natural(folder: Path) -> tuple[list[str | int], str]:
    """Return a sort key for natural order, in which numbers within names are compared by value."""
    parts = re.split("([0-9]+)", folder.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], folder.name


def _printable(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as valid text; bytes that are not UTF-8 are escaped."""
    return tuple(os.fsencode(name).decode(errors="backslashreplace") for name in names)


def _images(folder: Path) -> list[Path]:
    images = [each for each in sorted(folder.rglob("*")) if each.is_file() and not _is_hidden(each, folder)]
    if not images:
        raise DataError(f"image_folder: {folder} holds no image; put some there, or remove the class everywhere")
    return images


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _batch(classes: Classes, size: int) -> Batch:
    paths = [path for images in classes.values() for path in images]
    inputs = np.empty((len(paths), 3, size, size), np.uint8)
    for row, path in zip(inputs, paths, strict=True):
        row[:] = read_image(path, size=size)
    counts = torch.tensor([len(images) for images in classes.values()])
    return Batch(torch.from_numpy(inputs), torch.arange(len(classes)).repeat_interleave(counts))
