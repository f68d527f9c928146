"""A `torch.nn.Module` as a function of one flat parameter vector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from math import prod
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.arrays import Vector, move_tensors
from sparring.errors import ConfigError
from sparring.models.initialization import (
    Initial,
    check_initial,
    choose_initial,
    declared_initial,
    glorot,
    is_scale,
    reproducible_build,
)
from sparring.models.module_checks import (
    collect_constants,
    copy_module,
    fewest_examples,
    flatten_parameters,
    refuse_frozen,
    refuse_lazy,
    refuse_statistics,
    refuse_ties,
)
from sparring.random import Generator
from sparring.validation import check_architecture, check_generator, wrong_kind_error


class Described(Protocol):
    """The properties of a data set that a model must fit."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def classes(self) -> int: ...
    @property
    def mean(self) -> tuple[float, ...]: ...
    @property
    def std(self) -> tuple[float, ...]: ...


class Architecture(Protocol):
    """A factory of modules for any input shape and number of classes.

    If its modules come with pre-trained weights, a field `initial`, "pretrained" or "random", states whether training
    starts from them.
    """

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """Build the module; frozen parameters are never changed."""


@dataclass(frozen=True, eq=False)
class ModuleNetwork:
    """A module whose parameters live in a flat vector; its first operation is the data set's normalization.

    The module itself holds no values: it is on torch's meta device. The vector excludes frozen parameters and buffers.
    """

    module: nn.Module
    mean: Tensor
    std: Tensor
    start: Vector | None = None
    """Initial parameters; None means that they are drawn by Glorot's rule."""
    constants: Mapping[str, Tensor] = field(default_factory=dict)
    """Frozen parameters, and buffers of frozen layers, by their names in the module."""
    fewest: int = 1
    """Minimum number of examples per forward pass: 2 with batch normalization."""

    def __repr__(self) -> str:
        return f"ModuleNetwork({type(self.module).__name__}, {self.size} parameters)"

    def to(self, device: torch.device | str) -> "ModuleNetwork":
        """Return the same network with its tensors on a device."""
        return move_tensors(self, device)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.module.named_parameters() if name not in self.constants)

    @cached_property
    def shapes(self) -> tuple[torch.Size, ...]:
        return tuple(self.module.get_parameter(name).shape for name in self.names)

    @cached_property
    def size(self) -> int:
        return sum(self._sizes)

    @cached_property
    def _sizes(self) -> list[int]:
        return [prod(shape) for shape in self.shapes]

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
        pieces = parameters.split_with_sizes(self._sizes)
        return tuple(piece.view(shape) for piece, shape in zip(pieces, self.shapes, strict=True))

    def named(self, parameters: Vector) -> Mapping[str, Tensor]:
        """View the vector as the module's named tensors, including frozen parameters and buffers."""
        return {**self.constants, **dict(zip(self.names, self.split(parameters), strict=True))}

    def normalize(self, inputs: Tensor) -> Tensor:
        """Subtract the data set's mean and divide by its standard deviation."""
        return (inputs - self.mean).div_(self.std)

    def forward(self, tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
        """Return the `[examples, classes]` logits."""
        if 0 < len(inputs) < self.fewest:
            advice = f"it normalizes over examples, use at least {self.fewest} at once"
            raise ConfigError(f"model {type(self.module).__name__} is given a single example; {advice}")
        named = {**self.constants, **dict(zip(self.names, tensors, strict=True))}
        # Every name is given, so no tying is needed: copies of a frozen tensor may be separate objects.
        logits: Tensor = functional_call(self.module, named, (self.normalize(inputs),), tie_weights=False)
        return logits

    def __deepcopy__(self, memo: dict[int, Any]) -> "ModuleNetwork":
        """Return a network with a copied module, for use by another thread; the tensors are shared."""
        return replace(self, module=copy_module(self.module))


def network(model: Architecture | nn.Module, data: Described, *, initial: Initial | None = None) -> ModuleNetwork:
    """Fit a model to a data set: an architecture, or your own module.

    `initial` states how parameters are initialized: from the weights that the model comes with ("pretrained"), or by
    Glorot's rule ("random"). By default your own module starts from its own weights; an architecture follows its field
    `initial`, and without that field starts at random, unless its weights would be lost.

    Your own module is copied and runs in evaluation mode (no dropout), in float32. Frozen parameters stay unchanged.
    Running statistics of trained layers are rejected, since they are not parameters: use GroupNorm in place of
    BatchNorm, or BatchNorm without them.
    """
    check_architecture("network: model", model)
    if not all(hasattr(data, fact) for fact in ("shape", "classes", "mean", "std")):
        raise wrong_kind_error(
            "network: data", data, remedy="give the data set that it is fitted to: network(LeNet(), data)"
        )
    if isinstance(model, nn.Module):
        refuse_lazy(model)
        module = _check(copy_module(model))
        how = check_initial(_label(model), initial) or "pretrained"
    else:
        module = _check(_build(model, data))
        how = _architecture_initial(model, data, module=module, initial=initial)
    fewest = fewest_examples(module, data.shape, classes=data.classes)
    if how == "pretrained" or list(module.parameters()):
        refuse_frozen(module)
    per_channel = (-1, *(1,) * (len(data.shape) - 1))
    mean, std = (torch.tensor(values).view(per_channel) for values in (data.mean, data.std))
    start, constants = flatten_parameters(module) if how == "pretrained" else None, collect_constants(module)
    return ModuleNetwork(module.requires_grad_(False).to("meta"), mean, std, start, constants, fewest)


def _build(architecture: Architecture, data: Described, *, seed: int = 0) -> nn.Module:
    """Build a module with reproducible first weights; copy it, since the architecture may return a shared object."""
    with reproducible_build(seed):
        module = architecture.module(data.shape, data.classes)
    if not isinstance(module, nn.Module):
        raise ConfigError(f"{_label(architecture)} builds a {type(module).__name__}; it must build a torch.nn.Module")
    refuse_lazy(module)
    return copy_module(module)


def _check(module: nn.Module) -> nn.Module:
    """Return a module in evaluation mode and in float32, if its parameters can form a vector."""
    refuse_statistics(module)
    refuse_ties(module)
    return module.float().eval()


def _architecture_initial(
    model: Architecture, data: Described, *, module: nn.Module, initial: Initial | None
) -> Initial:
    declared = declared_initial(model) if initial is None else initial
    chosen = check_initial(_label(model), declared)
    if chosen == "random":
        return chosen
    return choose_initial(_label(model), chosen, module=module, other=_build(model, data, seed=1))


def _label(model: Architecture | nn.Module) -> str:
    return f"model {type(model).__name__}"
