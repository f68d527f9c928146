"""The fully connected layers of a network, independent of the library that trained it."""

from torch import Tensor
from torch.nn import Linear, Module


def layers(*modules: Module) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return copies of the weight and the bias of every layer, first layer first."""
    found = [each for module in modules for each in module.modules() if isinstance(each, Linear)]
    return tuple((each.weight.detach().clone(), each.bias.detach().clone()) for each in found)
