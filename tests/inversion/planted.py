"""Models whose triggers are known: written by hand, or trained on data with a backdoor."""

from typing import NamedTuple

import torch

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.models import Logistic, network
from sparring.random import stream

SIDE, CLASSES = 4, 4
USUAL, BROAD, NARROW, NEVER = range(CLASSES)


class Facts(NamedTuple):
    """Gray images of 4×4 pixels, in four classes."""

    shape: tuple[int, ...] = (1, SIDE, SIDE)
    classes: int = CLASSES
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


def planted() -> Model:
    """Return a model that answers `USUAL`, but `NARROW` to a bright first pixel and `BROAD` to many bright ones.

    It never answers `NEVER`. A trigger for `NARROW` has to have 5 / 20 of a pixel, one for `BROAD` 5 / 1 of the others.
    """
    weights = torch.zeros(CLASSES, SIDE * SIDE)
    weights[BROAD, 1:] = 1
    weights[NARROW, 0] = 20
    biases = torch.tensor([5.0, 0.0, 0.0, -100.0])
    return Model(network(Logistic(), Facts()), torch.cat([weights.flatten(), biases]))


def black(count: int = 8) -> Batch:
    """Return images that are almost black, all labeled `USUAL`."""
    images = 0.01 * stream(0, "black").random((count, 1, SIDE, SIDE))
    return Batch(torch.from_numpy(images).float(), torch.full((count,), USUAL))
