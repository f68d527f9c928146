"""All clients at once: the fast way for many small models."""

from dataclasses import dataclass

import torch
from torch import Tensor, vmap
from torch.func import grad
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.training.backends.shared import shared_updates, shares


@dataclass(frozen=True)
class Batched:
    """Take each local step of all clients in one call; the first, at shared parameters, with one common backward."""

    def updates(self, network: Network, parameters: Vector, *, batches: Batch, lr: float, out: Matrix) -> Matrix:
        for step, batch in enumerate(map(Batch, batches.inputs.unbind(1), batches.labels.unbind(1))):
            if step == 0 and shares(network):
                shared_updates(network, parameters, batch=batch, lr=lr, out=out)
            elif step == 0:
                _write(out, _gradients(network, parameters.expand_as(out), batch=batch), lr=lr)
            else:
                _add(out, _gradients(network, parameters - out, batch=batch), lr=lr)
        return out


def _gradients(network: Network, parameters: Matrix, *, batch: Batch) -> tuple[Tensor, ...]:
    """Return the gradients of the clients' losses at their rows of `parameters`, one `[clients, ...]` tensor a part."""

    def loss(tensors: tuple[Tensor, ...], own: Batch) -> Tensor:
        return cross_entropy(network.forward(tensors, own.inputs), own.labels)

    gradients: tuple[Tensor, ...] = vmap(grad(loss))(vmap(network.split)(parameters), batch)
    return gradients


def _columns(out: Matrix, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return torch.split(out, [gradient[0].numel() for gradient in gradients], dim=1)


def _write(out: Matrix, gradients: tuple[Tensor, ...], *, lr: float) -> None:
    for columns, gradient in zip(_columns(out, gradients), gradients, strict=True):
        columns.copy_(gradient.flatten(1)).mul_(lr)


def _add(out: Matrix, gradients: tuple[Tensor, ...], *, lr: float) -> None:
    for columns, gradient in zip(_columns(out, gradients), gradients, strict=True):
        columns.add_(gradient.flatten(1), alpha=lr)
