"""All clients in one batch: fast for many small models."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, vmap
from torch.func import grad
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.training.backends.shared import shared_updates, shares
from sparring.training.gradients import gradient

SLOW = "There is a performance drop because we have not yet implemented the batching rule"
"""torch's warning about an operation that it runs client by client."""


@dataclass(frozen=True)
class Batched:
    """Run each local step for all clients in one call; the first, at shared parameters, with one backward pass."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        for step, batch in enumerate(map(Batch, batches.inputs.unbind(1), batches.labels.unbind(1))):
            if step == 0 and shares(network):
                shared_updates(network, parameters, batch=batch, lr=lr, out=out)
            elif step == 0:
                _write(out, client_gradients(network, parameters.expand_as(out), batch=batch), lr=lr)
            else:
                _add(out, client_gradients(network, parameters - out, batch=batch), lr=lr)
        return out


def client_gradients(network: Network, parameters: Matrix, *, batch: Batch) -> tuple[Tensor, ...]:
    """Return the gradients of the clients' losses at their rows of `parameters`, one `[clients, ...]` tensor each."""

    def loss(tensors: tuple[Tensor, ...], own: Batch) -> Tensor:
        return cross_entropy(network.forward(tensors, own.inputs), own.labels)

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", SLOW)
            gradients: tuple[Tensor, ...] = vmap(grad(loss))(vmap(network.split)(parameters), batch)
    except RuntimeError:
        # vmap does not support models with data-dependent control flow or in-place operations.
        return _one_by_one(network, parameters, batch=batch)
    return gradients


def _one_by_one(network: Network, parameters: Matrix, *, batch: Batch) -> tuple[Tensor, ...]:
    rows = [
        gradient(network, row, batch=Batch(inputs, labels))
        for row, inputs, labels in zip(parameters, *batch, strict=True)
    ]
    return vmap(network.split)(torch.stack(rows))


def _columns(out: Matrix, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return torch.split(out, [part[0].numel() for part in gradients], dim=1)


def _write(out: Matrix, gradients: tuple[Tensor, ...], *, lr: float) -> None:
    for columns, part in zip(_columns(out, gradients), gradients, strict=True):
        columns.copy_(part.reshape(columns.shape)).mul_(lr)


def _add(out: Matrix, gradients: tuple[Tensor, ...], *, lr: float) -> None:
    for columns, part in zip(_columns(out, gradients), gradients, strict=True):
        columns.add_(part.reshape(columns.shape), alpha=lr)
