"""Loss and gradient of a network on one batch."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Vector
from sparring.contracts import Network


def loss(network: Network, parameters: Vector, *, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of the batch; differentiable in `parameters` and in the inputs."""
    return cross_entropy(network.forward(network.split(parameters), batch.inputs), batch.labels)


def gradient(network: Network, parameters: Vector, *, batch: Batch, out: Vector | None = None) -> Vector:
    """Return the flat gradient of the mean cross-entropy at `parameters`, written to `out` if given."""
    # Separate leaves: autograd would pad the gradient of every slice of a flat vector to the vector's length.
    leaves = [tensor.detach().requires_grad_() for tensor in network.split(parameters)]
    with torch.enable_grad():
        value = cross_entropy(network.forward(leaves, batch.inputs), batch.labels)
    pieces = _slopes(value, leaves)
    return torch.cat([piece.flatten() for piece in pieces], out=out)


def _slopes(value: Tensor, leaves: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return the gradients in the leaves; zeros for leaves that the model does not use."""
    if not value.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    return torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
