"""The kit finds a model that one of the backends trains in another way than the others."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import torch
from torch import nn

from sparring.conformance import failures
from sparring.conformance.models import (
    MODEL_CHECKS,
    every_backend_computes_the_same_updates,
    it_starts_as_its_generator_says,
)
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.errors import ConfigError


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


@dataclass(frozen=True)
class Series:
    """A convolution over time."""

    def module(self, shape, classes):
        if len(shape) != 2:
            raise ConfigError("series: there are images or vectors; use series")
        wide = 4 * (shape[1] - 2)
        return nn.Sequential(nn.Conv1d(shape[0], 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(wide, classes))


def distinct(module):
    """Return the layers of a chain, each once."""
    return list(module.named_children())


def test_a_model_that_a_backend_trains_otherwise_fails_and_the_layer_is_named():
    first, *others = failures(
        every_backend_computes_the_same_updates, Vectors(lambda relu: [Batching(), nn.Linear(6, 3)])
    )
    assert first == ("feature vectors: batched differs from sequential in '0', '1' (1 examples per step, steps=1)")
    assert all(": batched differs" in each for each in others)


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
    assert not [failure for check in MODEL_CHECKS[len(SETTINGS_CHECKS) :] for failure in failures(check, subject)]
    monkeypatch.setattr("sparring.training.backends.shared.layers_of", distinct)
    monkeypatch.setattr("sparring.training.backends.shared.dense_steps", lambda network: None)
    monkeypatch.setattr("sparring.training.backends.batched.shares", lambda network: True)
    failed = failures(every_backend_computes_the_same_updates, subject)
    assert failed
    assert all("differs from sequential" in each for each in failed)


@dataclass(frozen=True)
class Templates:
    """A linear layer that comes with weights, and a frozen one before it."""

    initial: Literal["pretrained", "random"] = "pretrained"
    drawn: bool = False

    def module(self, shape, classes):
        if len(shape) > 1:
            raise ConfigError("templates: there are images; use vectors")
        body, head = nn.Linear(*shape, *shape).requires_grad_(False), nn.Linear(*shape, classes)
        nn.init.eye_(head.weight)
        if self.drawn:
            body.weight = nn.Parameter(torch.rand(*shape, *shape, generator=GENERATOR), requires_grad=False)
        return nn.Sequential(body, head)


GENERATOR = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("initial", ["pretrained", "random"])
def test_a_model_that_comes_with_weights_and_says_so_passes(initial):
    assert not [failure for check in MODEL_CHECKS for failure in failures(check, Templates(initial))]


def test_frozen_weights_that_are_others_each_time_are_found():
    found = failures(it_starts_as_its_generator_says, Templates(drawn=True))
    assert found == ("feature vectors: its frozen parameters differ when it is built twice",)


def test_a_model_of_series_passes():
    assert not [failure for check in MODEL_CHECKS for failure in failures(check, Series())]
