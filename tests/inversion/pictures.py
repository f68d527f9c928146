"""Small pictures, and models that gradients are taken at."""

import torch

from sparring.arrays import Batch, Vector
from sparring.contracts import Model
from sparring.models import Mlp, network
from sparring.models.module_network import Architecture
from sparring.random import stream
from sparring.training import gradient
from tests.inversion.planted import Facts

CLASSES = 4
SMALL = Mlp(hidden=16)


def model(architecture: Architecture = SMALL, shape: tuple[int, ...] = (1, 6, 6), seed: int = 0) -> Model:
    """Return an untrained model."""
    built = network(architecture, Facts(shape, CLASSES))
    return Model(built, built.initial(stream(seed, "model")))


def bars(labels: list[int], shape: tuple[int, ...] = (1, 6, 6)) -> Batch:
    """Return black images with a bright bar in a column for each class, each a little fainter than the one before."""
    images = torch.zeros(len(labels), *shape)
    for place, label in enumerate(labels):
        images[place, :, 1:-1, label + 1] = 0.9**place
    return Batch(images, torch.tensor(labels))


def leaked(at: Model, examples: Batch) -> Vector:
    """Return the mean gradient on examples."""
    return gradient(at.network, at.parameters, batch=examples)
