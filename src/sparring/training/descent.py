"""A walk down the loss of a model, one step per minibatch."""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Batch, Matrix, Vector, finite_rows, is_finite
from sparring.contracts import Network
from sparring.models import ModuleNetwork
from sparring.training.backends.batched import client_gradients
from sparring.training.dense import Step, dense_products, dense_steps
from sparring.training.gradients import gradient

Slope = Callable[[Vector, Batch], Vector]
"""The direction of a step, as a new vector, given a model and a minibatch."""


class Walk(NamedTuple):
    """The end point of a search, and whether it stopped because the next point was not finite."""

    end: Vector
    has_diverged: bool


def walk(start: Vector, slope: Slope, *, batches: Iterable[Batch], lr: float) -> Walk:
    """Take one step of `lr` along `slope` per minibatch; stop early if the next point is not finite."""
    here = start
    for batch in batches:
        ahead = slope(here, batch).mul_(lr).add_(here)
        if not is_finite(ahead):
            return Walk(here, True)
        here = ahead
    return Walk(here, False)


def descend(network: Network, start: Vector, *, batches: Iterable[Batch], lr: float) -> Walk:
    """Walk down the mean cross-entropy."""
    steps = dense_steps(network)
    if steps is not None and isinstance(network, ModuleNetwork):
        return _descend_dense(network, steps, start, batches=batches, lr=lr)
    return walk(
        start, lambda parameters, batch: gradient(network, parameters, batch=batch).neg_(), batches=batches, lr=lr
    )


class Walks(NamedTuple):
    """The end point of each of several searches, `[searches, parameters]`, and those that stopped early."""

    ends: Matrix
    diverged: tuple[int, ...]
    """The rows of the searches whose next point was not finite."""


def descend_each(network: Network, start: Vector, *, batches: Batch, steps: Sequence[int], lr: float) -> Walks:
    """Walk down the mean cross-entropy of each of several searches from the same start, in lock-step.

    `batches` holds the minibatches of all searches, `[searches, steps, examples, ...]`; row i takes `steps[i]` of them.
    """
    here, due = start.repeat(len(steps), 1), torch.tensor(steps, device=start.device)
    has_diverged = torch.zeros(len(steps), dtype=torch.bool, device=start.device)
    for step in range(max(steps, default=0)):
        gradients = client_gradients(network, here, batch=Batch(*(part[:, step] for part in batches)))
        ahead = here - lr * torch.cat([part.reshape(len(here), -1) for part in gradients], dim=1)
        is_due, is_sound = (due > step) & ~has_diverged, finite_rows(ahead)
        has_diverged |= is_due & ~is_sound
        here = torch.where((is_due & is_sound)[:, None], ahead, here)
    return Walks(here, tuple(has_diverged.nonzero().flatten().tolist()))


@torch.no_grad()
def _descend_dense(
    network: ModuleNetwork, steps: tuple[Step, ...], start: Vector, *, batches: Iterable[Batch], lr: float
) -> Walk:
    """Walk to the same bytes as `walk`, layer by layer, without joining and splitting a vector in each step."""
    here: Sequence[Tensor] = network.split(start)
    for inputs, labels in batches:
        own, ahead = iter(here), []
        for signals, slopes, has_bias in dense_products(steps, here, inputs=network.normalize(inputs), labels=labels):
            ahead.append(slopes.t().mm(signals).mul_(-lr).add_(next(own)))
            if has_bias:
                ahead.append(slopes.sum(dim=0).mul_(-lr).add_(next(own)))
        if not _are_finite(ahead):
            return Walk(_joined(here), True)
        here = ahead
    return Walk(_joined(here), False)


def _are_finite(tensors: Sequence[Tensor]) -> bool:
    """Say whether every value is finite; a sum that overflows is looked at tensor by tensor."""
    return isfinite(sum(tensor.sum().item() for tensor in tensors)) or all(map(is_finite, tensors))


def _joined(tensors: Sequence[Tensor]) -> Vector:
    return torch.cat([tensor.reshape(-1) for tensor in tensors])
