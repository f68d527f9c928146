"""Gradients of chains of linear layers and ReLU, by the operations that autograd runs, without its overhead.

At these sizes a step is a handful of small matrix products, and building a graph takes several times as long. The bytes
are those of autograd: both call the same kernels in the same order.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from sparring.contracts import Network
from sparring.models import ModuleNetwork
from sparring.training.replay import is_replayed, layers_of

MEAN, SUM = 1, 2
"""torch's numbers for how a loss is reduced."""
IGNORED = -100
"""torch's label of examples that do not count."""

_logarithms, _logarithms_slope = torch.log_softmax, torch._log_softmax_backward_data  # noqa: SLF001  # public in aten
_nll, _nll_slope = torch.ops.aten.nll_loss_forward.default, torch.ops.aten.nll_loss_backward.default
_relu_slope = torch.ops.aten.threshold_backward.default

Step = Literal["flatten", "linear", "biased", "relu"]
"""What a layer does; `biased` is a linear layer with a bias."""


class Product(NamedTuple):
    """The factors of a linear layer's gradient: its inputs and the gradients of its outputs, both `[examples, ...]`."""

    inputs: Tensor
    slopes: Tensor
    has_bias: bool


def dense_steps(network: Network) -> tuple[Step, ...] | None:
    """Return what the layers do, if the network is a chain of flattening, trained linear layers and ReLU on vectors."""
    if not isinstance(network, ModuleNetwork) or network.constants or not is_replayed(network):
        return None
    steps = tuple(_step(layer) for _, layer in layers_of(network.module))
    first = next((index for index, step in enumerate(steps) if step in ("linear", "biased")), None)
    is_dense = first is not None and None not in steps and (network.mean.dim() == 1 or "flatten" in steps[:first])
    return steps if is_dense else None  # type: ignore[return-value]  # None is excluded


def _step(layer: nn.Module) -> Step | None:
    if isinstance(layer, nn.Linear):
        return "linear" if layer.bias is None else "biased"
    if isinstance(layer, nn.Flatten):
        return "flatten" if (layer.start_dim, layer.end_dim) == (1, -1) else None
    return "relu" if type(layer) is nn.ReLU else None


@torch.no_grad()
def dense_products(
    steps: Sequence[Step], tensors: Sequence[Tensor], *, inputs: Tensor, labels: Tensor, scale: float | None = None
) -> list[Product]:
    """Return each linear layer's product at the parameters `tensors`, first layer first, given normalized inputs.

    The loss is the mean cross-entropy of the examples, or with a `scale` their sum times `scale`.
    """
    signals, own = [inputs], iter(tensors)
    weights = []
    for step in steps:
        signal = signals[-1]
        if step == "relu":
            signals.append(signal.relu())
        elif step == "flatten":
            signals.append(signal.flatten(1))
        else:
            weights.append(next(own))
            signals.append(linear(signal, weights[-1], next(own) if step == "biased" else None))
    return _backward(steps, signals, weights=weights, slope=_loss_slope(signals[-1], labels, scale=scale))


def _loss_slope(logits: Tensor, labels: Tensor, *, scale: float | None) -> Tensor:
    """Return the gradient of the loss in the logits."""
    logarithms = _logarithms(logits, 1)
    reduction = MEAN if scale is None else SUM
    # The forward pass also rejects labels that the model does not have.
    _, weight = _nll(logarithms, labels, None, reduction, IGNORED)
    outer = logits.new_full((), 1.0 if scale is None else scale)
    slope = _nll_slope(outer, logarithms, labels, None, reduction, IGNORED, weight)
    return _logarithms_slope(slope, logarithms, 1, logits.dtype)


def _backward(
    steps: Sequence[Step], signals: Sequence[Tensor], *, weights: list[Tensor], slope: Tensor
) -> list[Product]:
    """Return the products, given the inputs of each layer, those of the loss, and the gradient in the latter."""
    products: list[Product] = []
    for index in reversed(range(len(steps))):
        step, inputs = steps[index], signals[index]
        if step == "relu":
            slope = _relu_slope(slope, signals[index + 1], 0)
        elif step == "flatten":
            slope = slope.view(inputs.shape)
        else:
            products.append(Product(inputs, slope, step == "biased"))
            if len(products) == len(weights):
                break
            slope = slope.mm(weights[-len(products)])
    return products[::-1]


def flat_gradient(products: Sequence[Product], *, out: Tensor | None = None) -> Tensor:
    """Return the gradient in all parameters as one vector."""
    pieces: list[Any] = []
    for inputs, slopes, has_bias in products:
        pieces.append(slopes.t().mm(inputs).view(-1))
        if has_bias:
            pieces.append(slopes.sum(dim=0))
    return torch.cat(pieces, out=out)
