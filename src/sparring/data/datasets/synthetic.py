"""Gaussian classes: small data on which any model trains quickly."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.normalization import moments
from sparring.errors import ConfigError
from sparring.random import Generator, stream

Floats = NDArray[np.float32]

LARGEST = 10**9
"""Maximum number of values in the training inputs."""


@dataclass(frozen=True)
class Synthetic:
    """Classes of equal size and unit variance, whose centers lie `separation` from the origin in random directions.

    `examples` is the number of training examples; there are a quarter as many test examples.
    """

    classes: int = 10
    """The number of classes, at least 2."""
    features: int = 32
    """The number of features of an example, at least 1."""
    examples: int = 2000
    """Training examples of all classes together, at least 4."""
    separation: float = 4.0
    """The distance of each class's center from the origin, in standard deviations of a class, at least 0."""
    seed: int = 0
    """The seed of the centers and examples, at least 0; that of the run changes neither."""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        least = {"classes": 2, "features": 1, "examples": 4, "separation": 0, "seed": 0}
        for option, bound in least.items():
            value = getattr(self, option)
            if not bound <= value <= LARGEST:
                raise ConfigError(f"synthetic: {option} is {value}; it must be {bound} to {LARGEST}")
        if max(self.examples, self.classes) * self.features > LARGEST:
            raise ConfigError(
                f"synthetic: {self.examples} examples and {self.classes} classes of {self.features} features; "
                f"each must hold at most {LARGEST} values"
            )

    def load(self) -> Dataset:
        directions = stream(self.seed, "synthetic", "centers").standard_normal((self.classes, self.features))
        centers = self.separation * directions / np.linalg.norm(directions, axis=1, keepdims=True)
        train = _examples(centers.astype(np.float32), self.examples, rng=stream(self.seed, "synthetic", "train"))
        test = _examples(centers.astype(np.float32), self.examples // 4, rng=stream(self.seed, "synthetic", "test"))
        mean, std = moments(train.inputs)
        return Dataset(name="synthetic", train=train, test=test, classes=self.classes, mean=mean, std=std)


def _examples(centers: Floats, number: int, *, rng: Generator) -> Batch:
    classes, features = centers.shape
    labels = rng.permutation(np.arange(number) % classes)
    inputs = rng.standard_normal((number, features), dtype=np.float32)
    inputs += centers[labels]
    return Batch(torch.from_numpy(inputs), torch.from_numpy(labels))
