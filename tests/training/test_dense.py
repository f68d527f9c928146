"""Chains of linear layers without autograd: the same bytes as with it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.models import Logistic, Mlp, ModuleNetwork, network
from sparring.random import stream
from sparring.training import gradient
from sparring.training.dense import dense_steps
from sparring.training.descent import descend, walk
from tests.settings import Facts

IMAGES = Facts(shape=(1, 9, 9), classes=4)
VECTORS = Facts(shape=(6,), classes=4)


def chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *layers)


DENSE = {
    "logistic": network(Logistic(), IMAGES, initial="random"),
    "mlp": network(Mlp(hidden=7), IMAGES, initial="random"),
    "without biases": network(
        chain(nn.Linear(81, 5, bias=False), nn.ReLU(), nn.Linear(5, 4, bias=False)), IMAGES, initial="random"
    ),
    "deep": network(
        chain(nn.ReLU(), nn.Linear(81, 5), nn.ReLU(inplace=True), nn.Linear(5, 6), nn.Linear(6, 4), nn.ReLU()),
        IMAGES,
        initial="random",
    ),
    "vectors": network(nn.Sequential(nn.Linear(6, 4)), VECTORS, initial="random"),
}
OTHER = {
    "another layer": network(chain(nn.Linear(81, 5), nn.Tanh(), nn.Linear(5, 4)), IMAGES),
    "rows of images": network(nn.Sequential(nn.Linear(9, 3), nn.Flatten(), nn.Linear(27, 4)), IMAGES),
    "no weights": network(nn.Sequential(nn.Flatten(), nn.Linear(81, 4), nn.GELU()), IMAGES),
}


class Autograd:
    """The same network, which does not show its layers."""

    def __init__(self, network: ModuleNetwork) -> None:
        self.network = network

    def __getattr__(self, name: str) -> object:
        return getattr(self.network, name)


def minibatch(examples: int, number: int = 0, *, facts: Facts = IMAGES) -> Batch:
    rng = torch.Generator().manual_seed(number)
    return Batch(torch.rand(examples, *facts.shape, generator=rng), torch.randint(4, (examples,), generator=rng))


def facts(name: str) -> Facts:
    return VECTORS if name == "vectors" else IMAGES


@pytest.mark.parametrize("name", OTHER)
def test_other_networks_are_left_to_autograd(name):
    assert dense_steps(OTHER[name]) is None


def test_a_hook_is_left_to_autograd():
    hooked = network(Logistic(), IMAGES)
    assert dense_steps(hooked) == ("flatten", "biased")
    hooked.module.register_forward_hook(lambda module, inputs, outputs: None)
    assert dense_steps(hooked) is None


def test_frozen_layers_are_left_to_autograd():
    assert dense_steps(replace(DENSE["mlp"], constants={"1.weight": torch.zeros(1)})) is None


@pytest.mark.parametrize("examples", [1, 2, 32, 100])
@pytest.mark.parametrize("name", DENSE)
def test_the_gradient_has_the_bytes_of_autograd(name, examples):
    dense, batch = DENSE[name], minibatch(examples, facts=facts(name))
    parameters = dense.initial(stream(0, "model"))
    assert dense_steps(dense) is not None
    assert gradient(dense, parameters, batch=batch).equal(gradient(Autograd(dense), parameters, batch=batch))


@pytest.mark.parametrize("name", DENSE)
def test_a_descent_has_the_bytes_of_a_walk(name):
    dense = DENSE[name]
    start, batches = dense.initial(stream(0, "model")), [minibatch(8, number, facts=facts(name)) for number in range(4)]
    descended = descend(dense, start, batches=batches, lr=0.3)
    walked = walk(start, lambda point, batch: -gradient(Autograd(dense), point, batch=batch), batches=batches, lr=0.3)
    assert descended.end.equal(walked.end)
    assert not descended.end.equal(start)
    assert not descended.has_diverged


def test_a_descent_stops_at_its_last_finite_point():
    dense, batch = DENSE["logistic"], minibatch(8)
    drawn = iter([batch, batch._replace(inputs=batch.inputs * torch.inf), batch])
    descended = descend(dense, dense.initial(stream(0, "model")), batches=drawn, lr=0.3)
    once = descend(dense, dense.initial(stream(0, "model")), batches=[batch], lr=0.3)
    assert descended.has_diverged
    assert descended.end.equal(once.end)
    assert len(list(drawn)) == 1


def test_unknown_labels_are_rejected():
    dense, batch = DENSE["mlp"], minibatch(8)
    with pytest.raises(IndexError, match="out of bounds"):
        gradient(dense, dense.initial(stream(0, "model")), batch=batch._replace(labels=batch.labels + 4))
