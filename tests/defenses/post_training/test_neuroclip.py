from math import inf, nan

import pytest
import torch

from sparring.defenses import NeuroClip, neuroclip
from sparring.errors import ConfigError
from sparring.models import Cnn, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import examples, started, units


def repaired(bound, model):
    return NeuroClip(bound).repair(model, root=None, rng=stream(0))


def test_activations_above_the_bound_are_cut_to_it():
    model = units([1.0, 0.0], [0.0, 1.0], out=[[1.0, 10.0], [0.0, 1.0]])
    # The activations are 3 and 0.5, and become 2 and 0.5.
    assert repaired(2.0, model)(torch.tensor([[3.0, 0.5]])).tolist() == [[7.0, 0.5]]


def test_a_bound_that_nothing_reaches_changes_nothing():
    model = started(Cnn(width=2))
    inputs = examples().inputs
    assert torch.equal(repaired(1e6, model)(inputs), model(inputs))


@pytest.mark.parametrize("architecture", [Cnn(width=2, activation="elu"), ResNet18(width=2)], ids=repr)
def test_negative_activations_and_the_ends_of_residual_blocks_are_cut_as_well(architecture):
    model = started(architecture)
    weight, bias = model.network.split(model.parameters)[-2:]
    largest = 0.01 * weight.abs().sum(dim=1) + 1e-6
    inputs = examples().inputs
    assert ((model(inputs) - bias).abs() > largest).any()
    assert ((repaired(0.01, model)(inputs) - bias).abs() <= largest).all()


def test_the_default_is_the_published_threshold():
    assert NeuroClip().bound == 7.0


@pytest.mark.parametrize("bound", [0.0, -1.0, inf, nan])
def test_a_bound_that_is_not_positive_is_refused(bound):
    for refused in (lambda: NeuroClip(bound), lambda: neuroclip(units([1.0, 0.0]).network, bound)):
        with pytest.raises(ConfigError, match=f"^neuroclip: bound={bound}; use a finite bound > 0$"):
            refused()
