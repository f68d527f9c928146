"""Models that are chains of layers, whose layers a defense can inspect and modify."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from torch import Tensor, nn

from sparring.contracts import Network
from sparring.errors import ConfigError
from sparring.models import ModuleNetwork
from sparring.models.module_checks import copy_module
from sparring.models.resnet18 import Block

ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Tanh, nn.Sigmoid, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.LogSigmoid, nn.Softplus, nn.Softsign),
    *(nn.Threshold, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink, Block),
)
"""Modules whose outputs count as neurons; a residual block ends in a ReLU."""

Tap = Callable[[Tensor], Tensor]
"""Maps a layer's output to the input of the next layer."""


def chain(defense: str, network: Network) -> ModuleNetwork:
    """Return `network` if it is a chain of layers, each used once; residual blocks count as layers."""
    if not isinstance(network, ModuleNetwork):
        raise ConfigError(f"{defense}: the model is a {type(network).__name__}; use a chain of layers")
    for name, part in network.module.named_modules():
        if list(part.children()) and type(part) not in (nn.Sequential, Block):
            label = f"{type(part).__name__} ({name})" if name else type(part).__name__
            raise ConfigError(f"{defense}: the model has a {label}; use a chain of layers, as torch.nn.Sequential is")
    names = [name for name, _ in network.module.named_modules(remove_duplicate=False)]
    for name in names:
        if name not in dict(network.module.named_modules()):
            raise ConfigError(f"{defense}: the model has the layer {name!r} twice; use a separate layer each time")
    return network


def is_known(layer: nn.Module) -> bool:
    """Say whether a layer comes from torch or Sparring; the computation of other layers is unknown."""
    return type(layer).__module__.startswith(("torch.nn.", "sparring."))


def refuse_unknown(defense: str, layers: Iterable[tuple[str, nn.Module]]) -> None:
    """Reject layers that are unknown, so that it is unclear whether a defense should change them."""
    for name, layer in layers:
        if not is_known(layer):
            label = f"{type(layer).__name__} ({name})" if name else type(layer).__name__
            raise ConfigError(f"{defense}: the model has a {label}; use layers of torch.nn")


def activations(defense: str, network: ModuleNetwork) -> tuple[str, ...]:
    """Return the names of the hidden activations."""
    refuse_unknown(defense, network.module.named_modules())
    found = tuple(name for name, part in network.module.named_modules() if isinstance(part, ACTIVATIONS))
    if not found:
        raise ConfigError(f"{defense}: the model has no hidden activations; use one with a hidden layer")
    return found


def add_taps(network: ModuleNetwork, taps: Mapping[str, Tap]) -> ModuleNetwork:
    """Return the network with taps after the named layers; the parameter layout is unchanged."""
    module = copy_module(network.module)
    for name, tap in taps.items():
        module.get_submodule(name).register_forward_hook(lambda layer, inputs, output, tap=tap: tap(output))
    return replace(network, module=module)
