"""A multilayer perceptron with one hidden layer."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch import nn

from sparring.errors import ConfigError
from sparring.models.initialization import Initial


@dataclass(frozen=True)
class Mlp:
    """Flattened input, `hidden` ReLU units, one linear layer."""

    initial: ClassVar[Initial] = "random"
    hidden: int = 100
    """Units of the hidden layer, at least 1."""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ConfigError(f"mlp.hidden is {self.hidden}; it must be at least 1")

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Flatten(), nn.Linear(prod(shape), self.hidden), nn.ReLU(), nn.Linear(self.hidden, classes)
        )
