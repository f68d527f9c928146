"""The first local step of the same clients in several worlds, which differ in their models alone.

The clients' examples are the same in all worlds, so that they are drawn and normalized once, and the first layers of
all models are one product.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import CELLS, Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.models import ModuleNetwork
from sparring.training.dense import Step, dense_steps


class Layer(NamedTuple):
    """A linear layer of all worlds: its inputs, the gradients of its outputs, and whether it has a bias.

    Slopes are `[worlds, examples, ...]`, and so are inputs, but for those of a first layer: `[examples, ...]`.
    """

    inputs: Tensor
    slopes: Tensor
    has_bias: bool


def stacks(network: Network) -> bool:
    """Say whether the network is a chain of linear layers and ReLU, which several worlds can train at once."""
    return dense_steps(network) is not None


@torch.no_grad()
def stacked_updates(
    network: Network, models: Sequence[Vector], *, batch: Batch, lr: float, outs: Sequence[Matrix]
) -> None:
    """Write lr · gradient of each client's mean loss at each model to the client's row of the world's matrix.

    `batch` holds the clients' minibatches, `[clients, examples, ...]`, which are the same in all worlds.
    """
    steps = dense_steps(network)
    assert steps is not None
    assert isinstance(network, ModuleNetwork)
    tensors = [torch.stack(each) for each in zip(*map(network.split, models), strict=True)]
    inputs, scale = network.normalize(batch.inputs.flatten(0, 1)), lr / batch.labels.shape[1]
    layers = _backward(steps, tensors, inputs=inputs, labels=batch.labels.flatten(), scale=scale)
    columns = [iter(torch.split(out, [each[0].numel() for each in tensors], dim=1)) for out in outs]
    for layer in layers:
        inputs, slopes = (each.unflatten(-2, batch.labels.shape) for each in layer[:2])
        _write(inputs, slopes, outs=[next(each) for each in columns])
        if layer.has_bias:
            for column, each in zip(columns, slopes, strict=True):
                torch.sum(each, dim=1, out=next(column))


def _backward(
    steps: Sequence[Step], tensors: Sequence[Tensor], *, inputs: Tensor, labels: Tensor, scale: float
) -> list[Layer]:
    """Return the layers, first layer first, for the sum of the examples' cross-entropies times `scale`."""
    signals, own = [inputs], iter(tensors)
    weights: list[Tensor] = []
    for step in steps:
        signal = signals[-1]
        if step == "relu":
            signals.append(signal.relu())
        elif step == "flatten":
            # Behind a linear layer, signals are vectors already.
            signals.append(signal if weights else signal.flatten(1))
        else:
            weights.append(next(own))
            signals.append(_outputs(signal, weights[-1], next(own) if step == "biased" else None))
    slope = torch.softmax(signals[-1], dim=2)
    slope[:, torch.arange(len(labels)), labels] -= 1
    slope *= scale
    layers: list[Layer] = []
    for index in reversed(range(len(steps))):
        if steps[index] == "relu":
            slope = slope * (signals[index + 1] > 0)
        elif steps[index] != "flatten":
            layers.append(Layer(signals[index], slope, steps[index] == "biased"))
            if len(layers) == len(weights):
                break
            slope = slope.bmm(weights[-len(layers)])
    return layers[::-1]


def _outputs(signal: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a layer's `[worlds, examples, outputs]`."""
    if signal.dim() == 2:
        outputs: Tensor = (
            signal.mm(weight.flatten(0, 1).t()).unflatten(1, weight.shape[:2]).transpose(0, 1).contiguous()
        )
    else:
        outputs = signal.bmm(weight.transpose(1, 2))
    if bias is not None:
        outputs.add_(bias[:, None])
    return outputs


def _write(inputs: Tensor, slopes: Tensor, *, outs: Sequence[Matrix]) -> None:
    """Write the products of all worlds, client by client, as many worlds at a time as stay in cache."""
    worlds, clients, _, width = slopes.shape
    many = max(1, CELLS // (clients * width * inputs.shape[-1]))
    for first in range(0, worlds, many):
        some = slice(first, first + many)
        group = len(slopes[some])
        if inputs.dim() == 3:
            left = slopes[some].permute(1, 0, 3, 2).reshape(clients, group * width, -1)
            product = torch.bmm(left, inputs).view(clients, group, -1).transpose(0, 1)
        else:
            left = slopes[some].flatten(0, 1).transpose(1, 2)
            product = torch.bmm(left, inputs[some].flatten(0, 1)).view(group, clients, -1)
        for out, part in zip(outs[some], product, strict=True):
            out.copy_(part)
