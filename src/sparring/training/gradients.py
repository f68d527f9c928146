"""Loss and gradient of a network on one batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Network, Objective
from sparring.models import ModuleNetwork
from sparring.training.dense import Step, dense_products, dense_steps, flat_gradient

CHUNK = 500
"""Maximum number of examples whose summed gradient is taken at once."""


def loss(network: Network, parameters: Vector, *, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of the batch; differentiable in `parameters` and in the inputs."""
    return cross_entropy(network.forward(network.split(parameters), batch.inputs), batch.labels)


def gradient(network: Network, parameters: Vector, *, batch: Batch, out: Vector | None = None) -> Vector:
    """Return the flat gradient of the mean cross-entropy at `parameters`, written to `out` if given."""
    return _gradient(network, dense_steps(network), parameters, batch=batch, out=out)


def gradient_function(network: Network) -> Callable[[Vector, Batch], Vector]:
    """Return the network's `gradient`, with what depends on the network alone done once: for loops of many steps."""
    steps = dense_steps(network)
    return lambda parameters, batch: _gradient(network, steps, parameters, batch=batch)


def summed_gradient(network: Network, parameters: Vector, *, batch: Batch, objective: Objective) -> Vector:
    """Return the flat gradient of the sum of the batch's losses, in chunks that are added in order."""
    return summed_slope(network, parameters, batch=batch, objective=objective, along=None)


def summed_slope(
    network: Network, parameters: Vector, *, batch: Batch, objective: Objective, along: Vector | None
) -> Vector:
    """Return the flat gradient of the sum of the batch's losses; with `along`, of its derivative in that direction."""
    total = torch.zeros_like(parameters)
    for inputs, labels in zip(*(in_chunks(part, CHUNK) for part in batch), strict=True):
        leaves = [tensor.detach().requires_grad_() for tensor in network.split(parameters)]
        value = summed_loss(network, leaves, batch=Batch(inputs.detach(), labels), objective=objective)
        if along is None:
            pieces = slopes(value, leaves)
        else:
            pieces = second_slopes(value, leaves, direction=network.split(along), others=leaves)
        total += torch.cat([piece.flatten() for piece in pieces])
    return total


@torch.enable_grad()
def summed_loss(network: Network, tensors: Sequence[Tensor], *, batch: Batch, objective: Objective) -> Tensor:
    """Return the sum of the batch's losses; differentiable in the parameter `tensors` and in the inputs."""
    return objective.losses(network.forward(tensors, batch.inputs), batch).sum()


def _gradient(
    network: Network, steps: tuple[Step, ...] | None, parameters: Vector, *, batch: Batch, out: Vector | None = None
) -> Vector:
    if steps is not None and isinstance(network, ModuleNetwork):
        inputs, tensors = network.normalize(batch.inputs.detach()), network.split(parameters.detach())
        return flat_gradient(dense_products(steps, tensors, inputs=inputs, labels=batch.labels), out=out)
    # Separate leaves: autograd would pad the gradient of every slice of a flat vector to the vector's length.
    leaves = [tensor.detach().requires_grad_() for tensor in network.split(parameters)]
    with torch.enable_grad():
        value = cross_entropy(network.forward(leaves, batch.inputs), batch.labels)
    pieces = slopes(value, leaves)
    return torch.cat([piece.flatten() for piece in pieces], out=out)


def slopes(value: Tensor, leaves: Sequence[Tensor], *, create_graph: bool = False) -> Sequence[Tensor]:
    """Return the gradients in the leaves; zeros for leaves that the model does not use."""
    if not value.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    return torch.autograd.grad(value, leaves, create_graph=create_graph, allow_unused=True, materialize_grads=True)


def second_slopes(
    value: Tensor, leaves: Sequence[Tensor], *, direction: Sequence[Tensor], others: Sequence[Tensor]
) -> Sequence[Tensor]:
    """Return the gradients in the `others` of the derivative in the leaves along a direction."""
    first = slopes(value, leaves, create_graph=True)
    used = [(slope, part) for slope, part in zip(first, direction, strict=True) if slope.requires_grad]
    if not used:
        return [torch.zeros_like(other) for other in others]
    outputs, along = zip(*used, strict=True)
    return torch.autograd.grad(outputs, others, grad_outputs=along, allow_unused=True, materialize_grads=True)
