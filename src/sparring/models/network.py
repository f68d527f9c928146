"""A `torch.nn.Module` as a function of one flat parameter vector."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from math import prod, sqrt
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.arrays import Vector, moved
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import check_architecture, check_generator, mistaken


class Described(Protocol):
    """The facts about a data set that a model must fit."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def classes(self) -> int: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...


class Architecture(Protocol):
    """A family of modules, one for each shape of input and number of classes."""

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """Build the module; its initial parameters do not matter."""


@dataclass(frozen=True, eq=False)
class ModuleNetwork:
    """A module whose parameters live in a flat vector; its first operation is the data set's normalization.

    The module keeps no numbers of its own: it lies on torch's meta device.
    """

    module: nn.Module
    mean: Tensor
    std: Tensor
    start: Vector | None = None
    """Parameters to start from; drawn by Glorot's rule where there are none."""

    def __repr__(self) -> str:
        return f"ModuleNetwork({type(self.module).__name__}, {self.size} parameters)"

    def to(self, device: torch.device | str) -> "ModuleNetwork":
        """Return the same network with its numbers on a device."""
        return moved(self, device)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.module.named_parameters())

    @cached_property
    def shapes(self) -> tuple[torch.Size, ...]:
        return tuple(parameter.shape for parameter in self.module.parameters())

    @cached_property
    def size(self) -> int:
        return sum(prod(shape) for shape in self.shapes)

    @cached_property
    def layers(self) -> Mapping[str, slice]:
        """The coordinates of each layer's parameters, by the layer's name in the module."""
        bounds = pairwise(accumulate(map(prod, self.shapes), initial=0))
        spans = zip((name.rpartition(".")[0] for name in self.names), bounds, strict=True)
        grouped = ((layer, list(group)) for layer, group in groupby(spans, key=lambda span: span[0]))
        return {layer: slice(group[0][1][0], group[-1][1][1]) for layer, group in grouped}

    def initial(self, rng: Generator) -> Vector:
        """Draw weights by Glorot's uniform rule, with biases 0 and scales 1, or copy the module's own parameters."""
        check_generator("initial: rng", rng)
        if self.start is not None:
            return self.start.clone()
        named = zip(self.names, self.shapes, strict=True)
        drawn = [torch.ones(shape) if is_scale(name, shape) else glorot(shape, rng) for name, shape in named]
        return torch.cat(drawn).to(self.mean.device)

    def split(self, parameters: Vector) -> tuple[Tensor, ...]:
        """View the vector as the module's parameter tensors."""
        pieces = torch.split(parameters, [prod(shape) for shape in self.shapes])
        return tuple(piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True))

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        """View the vector as the module's tensors, by their names in it."""
        return dict(zip(self.names, self.split(parameters), strict=True))

    def normalize(self, inputs: Tensor) -> Tensor:
        """Subtract the data set's mean and divide by its standard deviation."""
        return (inputs - self.mean) / self.std

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits."""
        named = dict(zip(self.names, tensors, strict=True))
        logits: Tensor = functional_call(self.module, named, (self.normalize(inputs),))
        return logits


def is_scale(name: str, shape: Sequence[int]) -> bool:
    """Say whether a parameter scales channels, as a normalization's does: it is a vector called weight."""
    return len(shape) == 1 and name.rpartition(".")[2] == "weight"


def glorot(shape: Sequence[int], rng: Generator) -> Vector:
    """Draw a flat weight by Glorot and Bengio's uniform rule (2010); a vector of biases is zero."""
    if len(shape) < 2:
        return torch.zeros(prod(shape))
    field = prod(shape[2:])
    bound = sqrt(6 / (field * (shape[0] + shape[1])))
    return torch.from_numpy(rng.uniform(-bound, bound, prod(shape)).astype(np.float32))


def network(model: Architecture | nn.Module, data: Described) -> ModuleNetwork:
    """Fit a model to a data set: an architecture of ours, or a module of yours with its initial parameters.

    A module of yours is copied and runs in evaluation mode (no dropout). Running statistics are refused, since they
    are no parameters: use GroupNorm in place of BatchNorm, or BatchNorm without them.
    """
    check_architecture("network: model", model)
    if not all(hasattr(data, fact) for fact in ("shape", "classes", "mean", "std")):
        raise mistaken("network: data", data, remedy="give the data set that it is fitted to: network(LeNet(), data)")
    own = isinstance(model, nn.Module)
    module = copy.deepcopy(model) if isinstance(model, nn.Module) else model.module(data.shape, data.classes)
    module.eval()
    _refuse_statistics(module)
    _refuse_ties(module)
    _refuse_shape(module, data)
    start = nn.utils.parameters_to_vector(module.parameters()).detach().float() if own else None
    per_channel = (-1, *(1,) * (len(data.shape) - 1))
    mean, std = (torch.tensor(values).view(per_channel) for values in (data.mean, data.std))
    return ModuleNetwork(module.requires_grad_(False).to("meta"), mean, std, start)


def _refuse_statistics(module: nn.Module) -> None:
    for name, _ in module.named_buffers():
        raise ConfigError(
            f"model {type(module).__name__} has the buffer {name!r}; use layers without running statistics"
        )


def _refuse_ties(module: nn.Module) -> None:
    first = {name for name, _ in module.named_parameters()}
    for name, _ in module.named_parameters(remove_duplicate=False):
        if name not in first:
            raise ConfigError(f"model {type(module).__name__} has {name!r} twice; give each layer its own parameters")


def _refuse_shape(module: nn.Module, data: Described) -> None:
    label = f"model {type(module).__name__}"
    try:
        with torch.no_grad():
            logits = module(torch.zeros(2, *data.shape))
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{label} does not take inputs of shape {list(data.shape)}: {reason}") from None
    if not isinstance(logits, Tensor):
        raise ConfigError(f"{label} gives a {type(logits).__name__}; it must give a tensor [{data.classes}]")
    if logits.shape != (2, data.classes):
        raise ConfigError(f"{label} gives outputs of shape {list(logits.shape[1:])}; it must give [{data.classes}]")
