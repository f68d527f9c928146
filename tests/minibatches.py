"""Rounds of minibatch training that tests hand to both players: digits of 12×12 pixels, and small models."""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from sparring.arrays import Batch, Vector, pixels
from sparring.contracts import MinibatchRecipe, MinibatchView, Network, Preparation
from sparring.data.datasets.digits import Digits
from sparring.models import LeNet, Mlp, ModuleNetwork, network
from sparring.random import stream
from sparring.training import CrossEntropy, gradient

MODELS = {"mlp": Mlp(hidden=20), "lenet": LeNet()}
SIZE = 12


@cache
def digits():
    return Digits(size=SIZE).load()


@cache
def fitted(name: str = "mlp") -> ModuleNetwork:
    return network(MODELS[name], digits())


def examples(start: int, count: int) -> Batch:
    rows = slice(start, start + count)
    return Batch(pixels(digits().train.inputs[rows]), digits().train.labels[rows])


@cache
def trained(name: str = "mlp", *, steps: int = 60) -> Vector:
    """Return a model that has taken some plain steps."""
    parameters = fitted(name).initial(stream(0, "initial"))
    for step in range(steps):
        parameters = parameters - 0.1 * gradient(fitted(name), parameters, batch=examples(40 * (step % 20), 40))
    return parameters


def view(*, name: str = "mlp", seed: int = 0, size: int = 40, **changes: object) -> MinibatchView:
    """Return what a player sees of a round; equal seeds give equal draws."""
    validation = examples(900, 100)
    own: Network = fitted(name)
    whole = MinibatchView(
        round=3,
        network=own,
        parameters=trained(name),
        objective=CrossEntropy(),
        batch=examples(0, size),
        examples=torch.arange(size),
        eta=1e-3,
        validation=validation,
        validation_gradient=lambda: 100 * gradient(own, trained(name), batch=validation),
        rng=stream(seed, "round"),
    )
    return replace(whole, **changes)


def preparation(*, name: str = "mlp", seed: int = 0, optimizer: str = "adam", **changes: object) -> Preparation:
    """Return what a player may learn from before the first round."""
    start = fitted(name).initial(stream(seed, "first"))
    recipe = MinibatchRecipe(epochs=2, batch=40, optimizer=optimizer, lr=1e-2)
    whole = Preparation(
        network=fitted(name),
        parameters=start,
        objective=CrossEntropy(),
        train=examples(0, 400),
        validation=examples(900, 200),
        recipe=recipe,
        rng=stream(seed, "prepare"),
    )
    return whole._replace(**changes)


def losses(at: MinibatchView, inputs: Tensor) -> Tensor:
    """Return the learner's loss of each example of the view's minibatch, with other inputs."""
    logits = at.network.forward(at.network.split(at.parameters), inputs)
    return at.objective.losses(logits, Batch(inputs, at.batch.labels))
