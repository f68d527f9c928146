"""Decides which models can be run layer by layer, by layers whose gradients are known."""

from collections.abc import Callable, Mapping

from torch import nn

from sparring.models import ModuleNetwork
from sparring.models.convolution import Convolution

Layers = list[tuple[str, nn.Module]]
"""The layers of a chain by name, in order; the same object may occur several times."""

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Attributes of a module that hold hooks."""
HOOKS_OF_ALL = tuple(
    hooks for name, hooks in vars(nn.modules.module).items() if name.startswith("_global") and name.endswith("_hooks")
)
"""torch's global hooks, which apply to every module."""


def layers_of(module: nn.Module) -> Layers:
    """Return a chain's layers; torch's own iterators skip repeated layers and are slower."""
    return list(vars(module)["_modules"].items())


def is_replayed(network: ModuleNetwork) -> bool:
    """Say whether the network is a plain chain of known layers, without hooks or other changes."""
    if type(network) is not ModuleNetwork or type(network.module) is not nn.Sequential or any(HOOKS_OF_ALL):
        return False
    layers = layers_of(network.module)
    is_known = all(type(layer) in KNOWN and KNOWN[type(layer)](layer) for _, layer in layers)
    is_plain = all(_is_plain(part) for part in (network.module, *(layer for _, layer in layers)))
    return is_known and is_plain and _are_all_parameters(network, layers)


def _are_all_parameters(network: ModuleNetwork, layers: Layers) -> bool:
    """Say whether the layers' weights and biases are all parameters of the model, each layer all trained or all frozen.

    Other parameters belong to the model itself, or to a layer that does not use them.
    """
    constants = network.constants.keys()
    trained: list[str] = []
    fixed: list[str] = []
    for name, layer in layers:
        keys = [key for key, parameter in vars(layer)["_parameters"].items() if parameter is not None]
        own = [f"{name}.{key}" for key in keys]
        if keys not in ([], ["weight"], ["weight", "bias"]) or 0 < len(constants & own) < len(own):
            return False
        (fixed if constants & own else trained).extend(own)
    return tuple(trained) == network.names and set(fixed) == constants


def _is_plain(module: nn.Module) -> bool:
    """Say whether a module behaves as its class: it has no hooks and does not override `forward`."""
    own = vars(module)
    return "forward" not in own and not any(map(own.__getitem__, HOOKS))


def _is_matrix(layer: nn.Module) -> bool:
    assert isinstance(layer, nn.Linear)
    return layer.weight.dim() == 2 and _has_plain_bias(layer)


def _is_padded_with_zeros(layer: nn.Module) -> bool:
    assert isinstance(layer, nn.Conv2d)
    is_counted = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return is_counted and layer.weight.dim() == 4 and _has_plain_bias(layer)


def _has_plain_bias(layer: nn.Linear | nn.Conv2d | Convolution) -> bool:
    """Say whether there is no bias, or one number per output."""
    return layer.bias is None or layer.bias.shape == layer.weight.shape[:1]


def _keeps_examples(layer: nn.Module) -> bool:
    assert isinstance(layer, nn.Flatten)
    return layer.start_dim >= 1


def _always(layer: nn.Module) -> bool:
    return True


KNOWN: Mapping[type[nn.Module], Callable[[nn.Module], bool]] = {
    nn.Linear: _is_matrix,
    nn.Conv2d: _is_padded_with_zeros,
    Convolution: lambda layer: isinstance(layer, Convolution) and _has_plain_bias(layer),
    nn.Flatten: _keeps_examples,
    **dict.fromkeys((nn.ReLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.MaxPool2d, nn.AvgPool2d, nn.Identity), _always),
}
"""Layers that process each example separately, and conditions under which their gradients are known."""
