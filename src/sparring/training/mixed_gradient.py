"""The mixed second derivative of a loss in the parameters and the inputs, applied to a direction."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Network, Objective
from sparring.errors import ConfigError
from sparring.training.gradients import CHUNK, slopes, summed_loss


def mixed_gradient(
    network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective
) -> Tensor:
    """Return ∇x⟨∇θL(x), v⟩ of every example, shaped like the inputs; v is the `direction`, `[parameters]`.

    No other example influences a row, so one double backward pass of the summed loss gives all rows: the product of
    the matrix B of equation 7 with v, without forming B.
    """
    chunks = zip(*(in_chunks(part, CHUNK) for part in batch), strict=True)
    return torch.cat(
        [
            _mixed_gradient(network, parameters, batch=Batch(*chunk), direction=direction, objective=objective)
            for chunk in chunks
        ]
    )


def _mixed_gradient(
    network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective
) -> Tensor:
    leaves = [tensor.detach().requires_grad_() for tensor in network.split(parameters)]
    inputs = batch.inputs.detach().requires_grad_()
    value = summed_loss(network, leaves, batch=Batch(inputs, batch.labels), objective=objective)
    along = directional(slopes(value, leaves, create_graph=True), network.split(direction.detach()))
    return slopes(along, [inputs])[0]


@torch.enable_grad()
def directional(gradients: Sequence[Tensor], direction: Sequence[Tensor]) -> Tensor:
    """Return the inner product of two vectors that are split into tensors."""
    products = [(one * other).sum() for one, other in zip(gradients, direction, strict=True)]
    return torch.stack(products).sum()


def check_twice_differentiable(network: Network, parameters: Vector, *, batch: Batch, objective: Objective) -> None:
    """Reject a network whose loss has no mixed second derivative, tried on the first two examples of `batch`.

    What fails is an autograd function that is differentiable only once, and a layer that detaches what it returns.
    Piecewise linear networks are fine: the derivative lives in the loss and in the products of layers.
    """
    few = Batch(batch.inputs[:2], batch.labels[:2])
    # Any direction that is not special to a loss will do: equal numbers, for one, are orthogonal to a softmax's slopes.
    direction = torch.arange(1, len(parameters) + 1, device=parameters.device).to(parameters.dtype).sin()
    remedy = "use operations that autograd can differentiate twice and that keep the graph from inputs to outputs"
    try:
        rows = mixed_gradient(network, parameters, batch=few, direction=direction, objective=objective)
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()), "no message")
        raise ConfigError(f"model {network} cannot be differentiated twice ({reason}); {remedy}") from error
    if not rows.any():
        raise ConfigError(f"model {network} has no gradient from its parameters to its inputs; {remedy}")
