"""The mixed second derivative of a loss in the parameters and the inputs, applied to a direction."""

import torch
from torch import Tensor

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Network, Objective
from sparring.errors import ConfigError
from sparring.training.gradients import CHUNK, second_slopes, summed_gradient, summed_loss

STEP = 1e-6
"""The size of a finite difference in double precision."""
MISMATCH = 1e-2
"""The relative difference from finite differences above which a derivative is wrong."""
REMEDY = "use operations that autograd can differentiate twice and that keep the graph from inputs to outputs"


def mixed_gradient(
    network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective
) -> Tensor:
    """Return ∇x⟨∇θL(x), v⟩ of every example, shaped like the inputs; v is the `direction`, `[parameters]`.

    No other example influences a row, so one double backward pass of the summed loss gives all rows: the product of
    the matrix B of equation 7 with v, without forming B.
    """
    chunks = zip(*(in_chunks(part, CHUNK) for part in batch), strict=True)
    rows = [
        _mixed_gradient(network, parameters, batch=Batch(*chunk), direction=direction, objective=objective)
        for chunk in chunks
    ]
    return rows[0] if len(rows) == 1 else torch.cat(rows)


def _mixed_gradient(
    network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective
) -> Tensor:
    leaves = [tensor.detach().requires_grad_() for tensor in network.split(parameters)]
    inputs = batch.inputs.detach().requires_grad_()
    value = summed_loss(network, leaves, batch=Batch(inputs, batch.labels), objective=objective)
    return second_slopes(value, leaves, direction=network.split(direction.detach()), others=[inputs])[0]


def check_twice_differentiable(network: Network, parameters: Vector, *, batch: Batch, objective: Objective) -> None:
    """Reject a network whose loss has no mixed second derivative, tried on two inputs shaped like those of `batch`.

    What fails is an autograd function that is differentiable only once, and a layer that detaches what it returns; most
    of them give a wrong derivative in silence, so it is compared with finite differences. Piecewise linear networks are
    fine: the derivative lives in the loss and in the products of layers.
    """
    # Irregular inputs, since pixels that are equal are where a maximum has a kink.
    few = Batch(0.5 + 0.4 * _irregular(batch.inputs[:2]), batch.labels[:2])
    direction = _irregular(parameters)
    try:
        rows = mixed_gradient(network, parameters, batch=few, direction=direction, objective=objective)
    except RuntimeError as error:
        reason = next(iter(str(error).splitlines()), "no message")
        raise ConfigError(f"model {network} cannot be differentiated twice ({reason}); {REMEDY}") from error
    if not rows.any():
        raise ConfigError(f"model {network} has no gradient from its parameters to its inputs; {REMEDY}")
    try:
        mismatch = _mismatch(network, parameters.double(), batch=few, direction=direction.double(), objective=objective)
    except RuntimeError:  # the network computes in single precision only, in which finite differences are too coarse
        return
    if not mismatch < MISMATCH:
        raise ConfigError(f"model {network} cannot be differentiated twice (part of its gradient is cut); {REMEDY}")


def _irregular(like: Tensor) -> Tensor:
    """Return numbers between -1 and 1 without a pattern."""
    return torch.arange(1, like.numel() + 1, device=like.device).square().sin().view(like.shape).float()


def _mismatch(network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective) -> float:
    """Return the relative difference between the mixed gradient along one change of the inputs and its finite form."""
    inputs, change = batch.inputs.double(), _irregular(batch.inputs.flip(0)).double()
    exact = mixed_gradient(
        network, parameters, batch=Batch(inputs, batch.labels), direction=direction, objective=objective
    )
    above, below = (
        summed_gradient(
            network, parameters, batch=Batch(inputs + step * change, batch.labels), objective=objective
        ).dot(direction)
        for step in (STEP, -STEP)
    )
    expected, found = (exact * change).sum().item(), (above - below).item() / (2 * STEP)
    return abs(expected - found) / max(abs(expected), abs(found), 1e-9)
