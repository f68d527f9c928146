"""Multinomial logistic regression."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch import nn

from sparring.models.initialization import Initial


@dataclass(frozen=True)
class Logistic:
    """One linear layer on the flattened input."""

    initial: ClassVar[Initial] = "random"
    paper: ClassVar[str] = ""

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), classes))
