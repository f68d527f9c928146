"""Small models with known parameters, for tests of what is done to a trained model."""

import torch
from torch import nn

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.models import Architecture, network
from sparring.random import stream
from tests.settings import Facts

PLAIN = Facts(shape=(2,), classes=2, mean=(0.0,), std=(1.0,))


def started(architecture: Architecture | nn.Module, facts: Facts | None = None, *, seed: int = 0) -> Model:
    """Return a model with its initial parameters."""
    fitted = network(architecture, Facts() if facts is None else facts)
    return Model(fitted, fitted.initial(stream(seed, "model")))


def written(module: nn.Module, facts: Facts, *tensors: list[object]) -> Model:
    """Return a model with these parameter tensors."""
    fitted = network(module, facts)
    flat = torch.cat([torch.tensor(values, dtype=torch.float32).flatten() for values in tensors])
    return Model(fitted, flat)


def units(*weights: list[float], out: list[list[float]] | None = None) -> Model:
    """Return a model of two inputs, a ReLU unit for each of `weights` and two logits, without biases."""
    width = len(weights)
    module = nn.Sequential(nn.Linear(2, width, bias=False), nn.ReLU(), nn.Linear(width, 2, bias=False))
    return written(module, PLAIN, list(weights), out or [[1.0] * width, [-1.0] * width])


def examples(facts: Facts | None = None, *, count: int = 12) -> Batch:
    """Draw inputs in [0, 1] with labels."""
    facts = Facts() if facts is None else facts
    rng = stream(0, "examples")
    inputs = torch.from_numpy(rng.random((count, *facts.shape), dtype="float32"))
    return Batch(inputs, torch.from_numpy(rng.integers(facts.classes, size=count)))
