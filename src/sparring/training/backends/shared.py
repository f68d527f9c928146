"""Every client's gradient from one forward and one backward pass.

In the first local step all clients have the same parameters, so their examples can pass through the model together.
Only the last product, of a layer's inputs and the gradients of its outputs, is computed client by client.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import conv2d, cross_entropy

from sparring.arrays import Batch, Matrix, Vector
from sparring.contracts import Network
from sparring.models import ModuleNetwork
from sparring.models.convolution import Convolution
from sparring.models.minimal_filtering import WIDE
from sparring.training.backends.strided import is_divisible, strided_convolution
from sparring.training.dense import Product, dense_products, dense_steps
from sparring.training.replay import is_replayed, layers_of

TOGETHER = 32
"""Clients whose products of a linear layer are computed at once: few enough that the result stays in cache."""
KEPT = 16
"""Minibatch size up to which convolutions round as in recorded results; larger ones are computed as is fastest."""
NARROW = 16
"""Channels up to which torch's convolution of one input channel is faster than ours."""


class Passage(NamedTuple):
    """A layer with parameters, its inputs and its outputs, for all clients' examples together."""

    layer: nn.Module
    inputs: Tensor
    outputs: Tensor


class Factors(NamedTuple):
    """A layer, its inputs and the gradients of its outputs: both `[clients, examples, ...]`."""

    layer: nn.Module
    inputs: Tensor
    slopes: Tensor


def shares(network: Network) -> bool:
    """Say whether the network is a chain of layers whose gradients are known here."""
    return isinstance(network, ModuleNetwork) and is_replayed(network)


def is_linear(network: Network) -> bool:
    """Say whether no layer of the network is a convolution."""
    return isinstance(network, ModuleNetwork) and all(part.dim() < 3 for part in network.module.parameters())


def shared_updates(network: Network, parameters: Vector, *, batch: Batch, lr: float, out: Matrix) -> Matrix:
    """Write lr · gradient of each client's mean loss at the shared `parameters` to its row of `out`."""
    assert isinstance(network, ModuleNetwork)
    tensors, inputs = network.split(parameters), batch.inputs.flatten(0, 1)
    steps = dense_steps(network)
    if steps is not None:
        signal, scale = network.normalize(inputs), lr / batch.labels.shape[1]
        products = dense_products(steps, tensors, inputs=signal, labels=batch.labels.flatten(), scale=scale)
        _write_products(products, batch.labels.shape, columns=_columns(tensors, out))
        return out
    passages, logits = _forward(network, tensors, inputs=inputs, is_free=batch.labels.shape[1] > KEPT)
    total = cross_entropy(logits, batch.labels.flatten(), reduction="sum") * (lr / batch.labels.shape[1])
    slopes = torch.autograd.grad(total, [passage.outputs for passage in passages])
    columns = _columns(tensors, out)
    for passage, slope in zip(passages, slopes, strict=True):
        pair = (each.unflatten(0, batch.labels.shape) for each in (passage.inputs, slope))
        PRODUCTS[type(passage.layer)](Factors(passage.layer, *pair), columns)
    return out


def _columns(tensors: tuple[Tensor, ...], out: Matrix) -> Iterator[Matrix]:
    return iter(torch.split(out, [part.numel() for part in tensors], dim=1))


def _write_products(products: list[Product], shape: torch.Size, *, columns: Iterator[Matrix]) -> None:
    """Write the products of linear layers, of all clients' examples together, client by client."""
    for inputs, slopes, has_bias in products:
        _write_linear(*(each.unflatten(0, shape) for each in (inputs, slopes)), has_bias=has_bias, columns=columns)


@torch.enable_grad()
def _forward(
    network: ModuleNetwork, tensors: tuple[Tensor, ...], *, inputs: Tensor, is_free: bool
) -> tuple[list[Passage], Tensor]:
    trained = dict(zip(network.names, (tensor.detach() for tensor in tensors), strict=True))
    signal, passages = network.normalize(inputs), []
    for name, layer in layers_of(network.module):
        own, fixed = (_of_layer(name, among) for among in (trained, network.constants))
        # An in-place layer would overwrite the outputs of a passage, whose gradient would then be that of the change.
        signal = signal.clone() if getattr(layer, "inplace", False) else signal
        outputs = _outputs(layer, own | fixed, signal, is_free=is_free)
        if own:
            outputs = outputs if outputs.requires_grad else outputs.requires_grad_()
            passages.append(Passage(layer, signal.detach(), outputs))
        signal = outputs
    return passages, signal


def _outputs(layer: nn.Module, tensors: dict[str, Tensor], inputs: Tensor, *, is_free: bool) -> Tensor:
    if is_free and isinstance(layer, Convolution) and inputs.device.type == "cpu":
        weight, bias = tensors["weight"], tensors["bias"]
        if inputs.shape[1] == 1 and len(weight) <= NARROW:
            # Patch by patch, as in our own convolution, a narrow one takes three times as long.
            signal = conv2d(inputs, weight, bias, layer.stride, layer.padding)
            return signal.contiguous(memory_format=torch.channels_last)
        if inputs.shape[1] < WIDE and layer.padding == 0 and is_divisible(inputs, weight, stride=layer.stride):
            return strided_convolution(inputs, weight, bias=bias, stride=layer.stride)
    return functional_call(layer, tensors, (inputs,))  # type: ignore[no-any-return]


def _of_layer(name: str, tensors: Any) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}


def _linear(factors: Factors, columns: Iterator[Matrix]) -> None:
    # Of inputs with more dimensions, such as rows of an image, each row counts as an example.
    inputs, slopes = (each.flatten(1, -2) for each in (factors.inputs, factors.slopes))
    _write_linear(inputs, slopes, has_bias=factors.layer.bias is not None, columns=columns)


def _write_linear(inputs: Tensor, slopes: Tensor, *, has_bias: bool, columns: Iterator[Matrix]) -> None:
    """Write the products of `[clients, examples, ...]` inputs and gradients of outputs."""
    clients, _, width = slopes.shape
    pair = (slopes.transpose(1, 2), inputs)
    rows = next(columns).view(clients, width, -1)
    # torch multiplies matrix by matrix, several times as slowly, if the rows of `out` are not contiguous.
    product = rows.new_empty(min(TOGETHER, clients), *rows.shape[1:])
    for part, *some in zip(*(each.split(TOGETHER) for each in (rows, *pair)), strict=True):
        part.copy_(torch.bmm(*some, out=product[: len(part)]))
    if has_bias:
        torch.sum(slopes, dim=1, out=next(columns))


def _convolution(factors: Factors, columns: Iterator[Matrix]) -> None:
    layer = factors.layer
    assert isinstance(layer, nn.Conv2d | Convolution)
    outputs = (next(columns), next(columns)) if layer.bias is not None else (next(columns),)
    if factors.slopes.shape[1] > KEPT and _is_linear(layer, factors):
        pair = (each.flatten(2) for each in factors[1:])
        _write_linear(*pair, has_bias=layer.bias is not None, columns=iter(outputs))
        return
    for client, (inputs, slopes) in enumerate(zip(factors.inputs, factors.slopes, strict=True)):
        products = _convolution_products(layer, inputs, slopes=slopes)
        for rows, product in zip(outputs, products, strict=True):
            rows[client] = product.flatten()


def _is_linear(layer: nn.Conv2d | Convolution, factors: Factors) -> bool:
    """Say whether the kernels are as large as their inputs, so that each has a single output."""
    _, padding, _ = _geometry(layer)
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return max(padding) == 0 and groups == 1 and factors.inputs.shape[-2:] == layer.weight.shape[-2:]


def _convolution_products(layer: nn.Conv2d | Convolution, inputs: Tensor, *, slopes: Tensor) -> tuple[Tensor, ...]:
    has_bias = layer.bias is not None
    sizes = [len(layer.weight)] if has_bias else None
    geometry = (*_geometry(layer), False, [0, 0], layer.groups if isinstance(layer, nn.Conv2d) else 1)
    weight = inputs.new_empty(layer.weight.shape)
    products = torch.ops.aten.convolution_backward(slopes, inputs, weight, sizes, *geometry, [False, True, has_bias])
    return tuple(products[1:]) if has_bias else (products[1],)


def _geometry(layer: nn.Conv2d | Convolution) -> tuple[Any, Any, Any]:
    """Return stride, padding and dilation, one number per dimension."""
    if isinstance(layer, nn.Conv2d):
        return layer.stride, layer.padding, layer.dilation
    return [layer.stride] * 2, [layer.padding] * 2, [1] * 2


PRODUCTS: dict[type[nn.Module], Callable[[Factors, Iterator[Matrix]], None]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    Convolution: _convolution,
}
"""Functions that compute a layer's parameter gradients from its inputs and the gradients of its outputs."""
