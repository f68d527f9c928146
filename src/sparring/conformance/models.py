"""Checks of model architectures, on each kind of example that they accept."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Matrix, Vector
from sparring.conformance.check import Check, are_equal, are_finite
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Backend
from sparring.errors import ConfigError
from sparring.models import Architecture, ModuleNetwork, network
from sparring.random import stream
from sparring.registry import lookup
from sparring.training import BACKENDS, Sequential


@dataclass(frozen=True)
class Examples:
    """The properties of a data set that a model must fit."""

    name: str
    shape: tuple[int, ...]
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def inputs(self, *number: int, draw: int = 0) -> Tensor:
        """Draw inputs with values in [0, 1], different for each `draw`."""
        return torch.from_numpy(stream(draw, self.name).random((*number, *self.shape), dtype=np.float32))


GRAY = Examples("gray images", (1, 28, 28), 10, (0.1,), (0.3,))
COLOR = Examples("color images", (3, 32, 32), 7, (0.5,) * 3, (0.2,) * 3)
FEATURES = Examples("feature vectors", (6,), 3, (0.0,), (1.0,))
SERIES = Examples("series", (3, 20), 3, (0.0,), (1.0,))
CLIENTS, DRAWS = 2, 3
"""Number of clients that train at once, and of repetitions of a comparison with differences."""
TOLERANCE = 1e-3
"""Tolerance for the difference of two updates, relative to the update."""


def fitted(architecture: Architecture) -> Iterator[tuple[Examples, ModuleNetwork]]:
    """Fit an architecture to every kind of example that it accepts."""
    for examples in (GRAY, COLOR, FEATURES, SERIES):
        try:
            yield examples, network(architecture, examples)
        except ConfigError:
            continue


def started(model: ModuleNetwork, *, seed: int = 0) -> Vector:
    return model.initial(stream(seed, "model"))


def it_takes_images_series_or_feature_vectors(architecture: Architecture) -> Iterator[str]:
    if not list(fitted(architecture)):
        network(architecture, GRAY)
        yield "it rejects every kind of example"


def its_logits_are_finite_and_the_same_each_time(architecture: Architecture) -> Iterator[str]:
    for examples, model in fitted(architecture):
        tensors, inputs = model.split(started(model)), examples.inputs(2)
        logits, again = (each.forward(tensors, inputs) for each in (model, copy.deepcopy(model)))
        if logits.shape != (2, examples.classes) or not are_finite([logits]):
            yield f"{examples.name}: the logits are not finite, or not one per class"
        if not torch.equal(logits, again):
            yield f"{examples.name}: the same inputs give different logits the second time"


def its_layers_tile_the_parameter_vector(architecture: Architecture) -> Iterator[str]:
    for examples, model in fitted(architecture):
        edges = [(part.start, part.stop) for part in model.layers.values()]
        if not edges or (edges[0][0], edges[-1][1]) != (0, model.size):
            yield f"{examples.name}: its layers do not cover its {model.size} parameters"
        if any(left[1] != right[0] for left, right in pairwise(edges)):
            yield f"{examples.name}: its layers overlap, or leave a gap"


def it_starts_as_its_generator_says(architecture: Architecture) -> Iterator[str]:
    for (examples, model), (_, again) in zip(fitted(architecture), fitted(architecture), strict=True):
        if not torch.equal(started(model), started(model)):
            yield f"{examples.name}: equal generators give different parameters"
        if model.start is None and torch.equal(started(model), started(model, seed=1)):
            yield f"{examples.name}: another generator gives the same parameters"
        if not are_equal(model.constants.values(), again.constants.values()):
            yield f"{examples.name}: its frozen parameters differ when it is built twice"


def every_layer_has_a_gradient(architecture: Architecture) -> Iterator[str]:
    for examples, model in fitted(architecture):
        parameters = started(model).requires_grad_()
        labels = torch.arange(8) % examples.classes
        cross_entropy(model.forward(model.split(parameters), examples.inputs(8)), labels).backward()
        slope = parameters.grad
        for layer, part in model.layers.items():
            if slope is None or not slope[part].any():
                yield f"{examples.name}: layer {layer!r} has no gradient at the start"


def it_is_differentiated_for_many_clients_at_once(architecture: Architecture) -> Iterator[str]:
    for examples, model in fitted(architecture):

        def loss(vector: Vector, batch: Batch, *, model: ModuleNetwork = model) -> Tensor:
            return cross_entropy(model.forward(model.split(vector), batch.inputs), batch.labels)

        batches = Batch(examples.inputs(2, 3), torch.zeros(2, 3, dtype=torch.int64))
        gradients = vmap(grad(loss))(started(model).expand(2, -1), batches)
        if gradients.shape != (2, model.size) or not are_finite([gradients]):
            yield f"{examples.name}: its gradients are not finite, or not one row per client"


def every_backend_computes_the_same_updates(architecture: Architecture) -> Iterator[str]:
    others = [name for name in BACKENDS if name != "sequential"]
    cases = product(fitted(architecture), ((1, 1), (1, 4), (2, 4), (1, 17)), others)
    for (examples, model), (steps, size), name in cases:
        draws = (minibatches(examples, (CLIENTS, steps, size), draw=draw) for draw in range(DRAWS))
        backend = lookup("backend", BACKENDS, name)()
        layers = _differing(backend, model, draws=draws) if size >= model.fewest else []
        if layers:
            where = f"{', '.join(map(repr, layers))} ({size} examples per step, steps={steps})"
            yield f"{examples.name}: {name} differs from sequential in {where}"


def minibatches(examples: Examples, number: tuple[int, ...], *, draw: int) -> Batch:
    """Draw minibatches, different for each `draw`."""
    labels = torch.arange(prod(number)).view(number) % examples.classes
    return Batch(examples.inputs(*number, draw=draw), labels)


def _differing(backend: Backend, model: ModuleNetwork, *, draws: Iterable[Batch]) -> list[str]:
    """Return the layers whose updates differ from the sequential ones in every draw.

    Rounding occasionally turns a unit on or off; an incorrect backend differs each time.
    """
    layers = list(model.layers)
    for batches in draws:
        found, expected = (_updates(each, model, batches=batches) for each in (backend, Sequential()))
        least = expected.norm() / 100
        parts = ((layer, model.layers[layer]) for layer in layers)
        sizes = ((layer, (found - expected)[:, part].norm(), expected[:, part].norm()) for layer, part in parts)
        layers = [layer for layer, error, size in sizes if not error <= TOLERANCE * torch.maximum(size, least)]
        if not layers:
            break
    return layers


def _updates(backend: Backend, model: ModuleNetwork, *, batches: Batch) -> Matrix:
    out = torch.full((CLIENTS, model.size), torch.nan)
    return backend.updates(model, started(model), batches=batches, lr=0.1, out=out)


MODEL_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    it_takes_images_series_or_feature_vectors,
    its_logits_are_finite_and_the_same_each_time,
    its_layers_tile_the_parameter_vector,
    it_starts_as_its_generator_says,
    every_layer_has_a_gradient,
    it_is_differentiated_for_many_clients_at_once,
    every_backend_computes_the_same_updates,
)
