"""The handwritten digits included in scikit-learn (Alpaydin and Kaynak, 1998), 1797 images of 8×8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.normalization import moments
from sparring.data.random_order import random_ranks
from sparring.errors import ConfigError
from sparring.random import stream
from sparring.registry import import_member

CLASSES = 10
STROKE = 16
"""The darkest value of the original images."""
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Digits:
    """Digits from scikit-learn, resized bilinearly to `size`×`size` bytes; a fifth of each class (rounded) for testing.

    The split is fixed and does not depend on the run's seed.
    """

    size: int = 28
    """Pixels of an image's side after scaling, from 8 to 256."""
    paper: ClassVar[str] = (
        "Alpaydin & Kaynak, 1998, Optical recognition of handwritten digits, UCI Machine Learning Repository"
    )

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 256:
            raise ConfigError(f"digits: size is {self.size}; it must be 8 to 256")

    def load(self) -> Dataset:
        originals = import_member("sklearn.datasets:load_digits")()  # scikit-learn takes a second to import
        inputs = _resize(torch.from_numpy(originals.images), self.size)
        labels = torch.from_numpy(originals.target).long()
        is_test = _is_test(labels)
        train = Batch(inputs[~is_test], labels[~is_test])
        mean, std = moments(train.inputs)
        test = Batch(inputs[is_test], labels[is_test])
        return Dataset(name="digits", train=train, test=test, classes=CLASSES, mean=mean, std=std)


def _resize(images: Tensor, size: int) -> Tensor:
    bilinear = interpolate(images.float().unsqueeze(1) / STROKE, size=(size, size), mode="bilinear")
    return bilinear.mul_(255).round_().to(torch.uint8)


def _is_test(labels: Tensor) -> Tensor:
    known = labels.numpy()
    tested = np.rint(TEST_SHARE * np.bincount(known))
    return torch.from_numpy(random_ranks(known, stream(0, "digits", "test")) < tested[known])
