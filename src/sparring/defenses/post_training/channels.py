"""The hidden channels of a chain of layers, and the parameters to zero in order to prune one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sparring.arrays import Vector
from sparring.defenses.post_training.chain import refuse_unknown
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.models.convolution import Convolution

CONVOLUTIONS = (nn.Conv2d, Convolution)
WEIGHTED = (*CONVOLUTIONS, nn.Linear)
NORMS = (nn.GroupNorm, nn.BatchNorm1d, nn.BatchNorm2d)

Leaf = tuple[str, nn.Module]
"""A layer with its name."""


class Channels(NamedTuple):
    """The output channels of one layer, or of the normalization that follows it."""

    layer: str
    kernel: int
    """The index of the weights, `[channels, ...]`, among the model's parameter tensors."""
    own: tuple[int, ...]
    """The indices of the tensors whose rows produce a channel's output: zeros there prune it."""
    norm: nn.Module | None


def hidden_channels(defense: str, network: ModuleNetwork) -> tuple[Channels, ...]:
    """Return the channels of every convolution except an output layer; without convolutions, the hidden linear units.

    Frozen layers are excluded, since no client can have changed them.
    """
    leaves = [(name, part) for name, part in network.module.named_modules() if not list(part.children())]
    refuse_unknown(defense, (leaf for leaf in leaves if list(leaf[1].parameters())))
    weighted = [name for name, part in leaves if isinstance(part, WEIGHTED)]
    hidden = [(here, after) for here, after in pairwise(leaves) if here[0] in weighted[:-1]]
    if not hidden:
        raise ConfigError(f"{defense}: the model has no hidden channels; use one with a hidden layer")
    trained = [pair for pair in hidden if _is_trained(network, pair)]
    if not trained:
        raise ConfigError(
            f"{defense}: all hidden channels of the model are frozen; use one with a hidden layer that is trained"
        )
    convolutions = [pair for pair in trained if isinstance(pair[0][1], CONVOLUTIONS)]
    return tuple(_channels(network, layer, after=after) for (layer, _), after in convolutions or trained)


def _is_trained(network: ModuleNetwork, pair: tuple[Leaf, Leaf]) -> bool:
    """Say whether all parameters of a layer, and of a normalization after it, are trained."""
    layer, after = pair
    own = pair if isinstance(after[1], NORMS) else (layer,)
    names = (f"{name}.{key}" for name, part in own for key, _ in part.named_parameters())
    return not any(name in network.constants for name in names)


def _channels(network: ModuleNetwork, layer: str, *, after: tuple[str, nn.Module]) -> Channels:
    kernel = network.names.index(f"{layer}.weight")
    name, norm = after
    own = _indices(network, name)
    if isinstance(norm, NORMS) and own:
        return Channels(name, kernel, own, norm)
    return Channels(layer, kernel, _indices(network, layer), None)


def _indices(network: ModuleNetwork, layer: str) -> tuple[int, ...]:
    return tuple(index for index, name in enumerate(network.names) if name.rpartition(".")[0] == layer)


def kept(network: ModuleNetwork, channels: Channels, *, without: Sequence[int] | Tensor) -> Tensor:
    """Return the mask of parameters, `[parameters]`, that remain when the channels `without` are pruned."""
    mask = torch.ones(network.size, dtype=torch.bool, device=network.mean.device)
    tensors = network.split(mask)
    for index in channels.own:
        tensors[index][without] = False
    return mask


def masked(parameters: Vector, mask: Tensor) -> Vector:
    """Return a copy of the parameters with zeros where the mask is false."""
    return torch.where(mask, parameters, 0)
