"""The kit finds a model that one of the backends trains in another way than the others."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import nn

from sparring.errors import ConfigError
from sparring.testing import failures
from sparring.testing.models import MODEL_CHECKS, every_backend_trains_it_alike


class Unlike(torch.autograd.Function):
    """Return the inputs; under `vmap`, whose rule was written in haste, four times as much."""

    @staticmethod
    def forward(inputs):
        return inputs.clone()

    @staticmethod
    def setup_context(context, inputs, output):
        pass

    @staticmethod
    def backward(context, slopes):
        return slopes

    @staticmethod
    def vmap(info, in_dims, inputs):
        return 4 * inputs, in_dims[0]


class Batching(nn.Module):
    """Scale by a parameter, in a way that depends on how many clients are trained at once."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, inputs):
        return Unlike.apply(inputs * self.weight)


@dataclass(frozen=True)
class Vectors:
    """A chain of layers for vectors."""

    layers: Any = field(default=None, compare=False)

    def module(self, shape, classes):
        if len(shape) > 1:
            raise ConfigError("vectors: there are images; use vectors")
        return nn.Sequential(*self.layers(nn.ReLU()))


def distinct(module):
    """Return the layers of a chain, each once."""
    return list(module.named_children())


def test_a_model_that_a_backend_trains_otherwise_fails_and_the_layer_is_named():
    first, *others = failures(every_backend_trains_it_alike, Vectors(lambda relu: [Batching(), nn.Linear(6, 3)]))
    assert first == (
        "feature vectors: batched has other gradients than sequential in '0', '1' (1 examples a step, steps=1)"
    )
    assert all(": batched has other gradients" in each for each in others)


@pytest.mark.parametrize(
    "layers",
    [
        lambda relu: [nn.Linear(6, 6), relu, nn.Linear(6, 6), relu, nn.Linear(6, 3)],
        lambda relu: [nn.Linear(6, 6), relu, nn.Linear(6, 6), nn.Flatten(), relu, nn.Linear(6, 3)],
    ],
    ids=["an activation that is there twice", "the second of them behind a view"],
)
def test_a_backend_that_takes_more_than_it_can_replay_is_found(monkeypatch, layers):
    subject = Vectors(layers)
    assert not [failure for check in MODEL_CHECKS[3:] for failure in failures(check, subject)]
    monkeypatch.setattr("sparring.training.backends.shared.layers_of", distinct)
    monkeypatch.setattr("sparring.training.backends.batched.shares", lambda network: True)
    failed = failures(every_backend_trains_it_alike, subject)
    assert failed
    assert all("has other gradients than sequential" in each for each in failed)
