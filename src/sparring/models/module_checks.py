"""Requirements on a `torch.nn.Module` to become a network, and its parts that are not trained."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from sparring.errors import ConfigError


def copy_module(module: nn.Module) -> nn.Module:
    """Return a copy of a module, without tensors that its `forward` stored there in earlier calls.

    Features stored from an earlier call belong to that call's graph and cannot be copied.
    """
    kept = (value for part in module.modules() for value in vars(part).values() if isinstance(value, Tensor))
    forgotten: dict[int, object] = {id(value): None for value in kept if not value.is_leaf}
    try:
        return copy.deepcopy(module, forgotten)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{_label(module)} cannot be copied: {reason}") from None


def refuse_lazy(module: nn.Module) -> None:
    """Reject lazy layers, whose sizes are not known yet."""
    for name, tensor in (*module.named_parameters(remove_duplicate=False), *module.named_buffers()):
        if is_lazy(tensor):
            layer = name.rpartition(".")[0]
            raise ConfigError(f"{_label(module)} has the lazy layer {layer!r}; call the model once on an example first")


def refuse_statistics(module: nn.Module) -> None:
    """Reject buffers of layers that are trained or have no parameters."""
    for layer, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        is_frozen = len(own) > 0 and not any(parameter.requires_grad for parameter in own)
        for name, _ in part.named_buffers(prefix=layer, recurse=False):
            if not is_frozen:
                advice = "use layers without running statistics, or freeze the layer"
                raise ConfigError(f"{_label(module)} has the buffer {name!r}; {advice}")


def refuse_ties(module: nn.Module) -> None:
    """Reject trained parameters that are shared by two layers."""
    first = {name for name, _ in module.named_parameters()}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if name not in first and parameter.requires_grad:
            raise ConfigError(f"{_label(module)} has {name!r} twice; give each layer its own parameters")


def refuse_frozen(module: nn.Module) -> None:
    """Reject a module without trainable parameters."""
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise ConfigError(f"{_label(module)} has no parameters to train; use one with a layer that is not frozen")


def fewest_examples(module: nn.Module, shape: tuple[int, ...], *, classes: int) -> int:
    """Return the smallest number of examples that the module accepts: 1, or 2 with batch normalization.

    A module that does not return one row of logits per example is rejected.
    """
    _check_logits(module, shape, classes=classes, examples=2)
    try:
        _check_logits(module, shape, classes=classes, examples=1)
    except _Raised:
        _check_logits(module, shape, classes=classes, examples=3)
        return 2
    return 1


class _Raised(ConfigError):
    """The module raised an error."""


def _check_logits(module: nn.Module, shape: tuple[int, ...], *, classes: int, examples: int) -> None:
    try:
        with torch.no_grad():
            logits = module(torch.zeros(examples, *shape))
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise _Raised(f"{_label(module)} does not take inputs of shape {list(shape)}: {reason}") from None
    if not isinstance(logits, Tensor):
        raise ConfigError(f"{_label(module)} gives a {type(logits).__name__}; it must give a tensor [{classes}]")
    if logits.shape == (examples, classes):
        return
    if examples == 1:
        given = f"for a single example outputs of shape {list(logits.shape)}"
        raise ConfigError(f"{_label(module)} gives {given}; it must give [1, {classes}], without squeezing that 1 away")
    raise ConfigError(f"{_label(module)} gives outputs of shape {list(logits.shape[1:])}; it must give [{classes}]")


def collect_constants(module: nn.Module) -> Mapping[str, Tensor]:
    """Return copies of the frozen parameters and the buffers, by name; a tensor with two names is copied once."""
    parameters = module.named_parameters(remove_duplicate=False)
    frozen = {name: parameter for name, parameter in parameters if not parameter.requires_grad}
    named = {**frozen, **dict(module.named_buffers(remove_duplicate=False))}
    copies = {id(each): each.detach().clone(memory_format=torch.contiguous_format) for each in named.values()}
    return {name: copies[id(each)] for name, each in named.items()}


def flatten_parameters(module: nn.Module) -> Tensor:
    """Return a copy of the trained parameters in one vector, independent of their memory layout."""
    return torch.cat([part.detach().reshape(-1) for part in module.parameters() if part.requires_grad])


def _label(module: nn.Module) -> str:
    return f"model {type(module).__name__}"
