"""Modules of every kind that a user may bring, and what the backends make of them."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sparring.arrays import Batch, Matrix
from sparring.contracts import Backend
from sparring.models import ModuleNetwork
from sparring.random import stream
from tests.settings import Facts

CLASSES = 3


class Residual(nn.Module):
    """Add what some layers give to what they are given."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.inner(inputs)


class Doubled(nn.Sequential):
    """A `Sequential` with a `forward` of its own."""

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.Sequential.forward(self, 2 * inputs)


class Squared(nn.Linear):
    """A linear layer with a `forward` of its own."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.square())


class Scaled(nn.Module):
    """Multiply by a parameter without dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.7))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.factor * inputs


class Forgetful(nn.Module):
    """Return the inputs; a parameter exists and is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Parameter(torch.ones(2, 3))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


class Remembering(nn.Module):
    """Return the inputs, and keep them."""

    last: Tensor | None = None

    def forward(self, inputs: Tensor) -> Tensor:
        self.last = inputs
        return inputs


class Choosing(nn.Module):
    """Go one way or the other, as the inputs say, which `vmap` cannot."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else 3 * inputs


def facts(shape: Sequence[int]) -> Facts:
    return Facts(tuple(shape), CLASSES)


def updates(
    backend: Backend,
    network: ModuleNetwork,
    *,
    shape: Sequence[int],
    steps: int = 1,
    examples: int = 4,
    clients: int = 2,
) -> Matrix:
    """Return what a backend writes for two clients, in float64: rounding must turn no unit on or off."""
    rng = torch.Generator().manual_seed(0)
    size = (clients, steps, examples)
    inputs = torch.rand(*size, *shape, generator=rng, dtype=torch.float64)
    batches = Batch(inputs, torch.randint(CLASSES, size, generator=rng))
    parameters = network.initial(stream(0, "model")).double()
    constants = {name: each.double() if each.is_floating_point() else each for name, each in network.constants.items()}
    network = replace(network, constants=constants)
    out = torch.full((2, network.size), torch.nan, dtype=torch.float64)
    return backend.updates(network, parameters, batches=batches, lr=0.1, out=out)


def relative_error(found: Matrix, expected: Matrix) -> float:
    """Return the largest difference as a share of the largest value; NaN counts as infinitely far."""
    error = (found - expected).abs().max() / expected.abs().max()
    return error.nan_to_num(nan=torch.inf).item()
