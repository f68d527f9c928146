"""Optimizers: from parameters, their gradient and the state so far to the next parameters and state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sparring.arrays import Vector
from sparring.registry import Table
from sparring.validation import fraction, positive

OptimizerState = Mapping[str, Tensor]
"""The optimizer's moments and its number of steps; `{}` before the first step. It is never edited in place."""


class Optimizer(Protocol):
    """A rule that turns gradients into steps."""

    def step(self, parameters: Vector, gradient: Vector, state: OptimizerState) -> tuple[Vector, OptimizerState]:
        """Return the parameters after one step along `gradient`, and the state for the next step."""


@dataclass(frozen=True)
class Sgd:
    """Plain gradient descent; it has no state."""

    lr: float = 0.1
    """The learning rate, above 0."""

    def __post_init__(self) -> None:
        positive("sgd", lr=self.lr)

    def step(self, parameters: Vector, gradient: Vector, state: OptimizerState) -> tuple[Vector, OptimizerState]:
        return parameters - self.lr * gradient, state


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015), with the defaults of torch.

    The state is `mean` and `square`, the moments of the gradient, and `steps`, how many steps were taken.
    """

    lr: float = 1e-3
    """The learning rate, above 0."""
    mean_decay: float = 0.9
    """How much of the mean of gradients is kept in a step, from 0 to below 1."""
    square_decay: float = 0.999
    """How much of the mean of squared gradients is kept in a step, from 0 to below 1."""
    floor: float = 1e-8
    """What is added to the root of the mean square, above 0."""

    def __post_init__(self) -> None:
        positive("adam", lr=self.lr, floor=self.floor)
        fraction("adam", mean_decay=self.mean_decay, square_decay=self.square_decay)

    def step(self, parameters: Vector, gradient: Vector, state: OptimizerState) -> tuple[Vector, OptimizerState]:
        start = state or {
            "mean": torch.zeros_like(parameters),
            "square": torch.zeros_like(parameters),
            "steps": torch.zeros((), dtype=torch.int64),
        }
        mean = torch.lerp(start["mean"], gradient, 1 - self.mean_decay)
        square = (self.square_decay * start["square"]).addcmul_(gradient, gradient, value=1 - self.square_decay)
        steps = start["steps"] + 1
        count = int(steps)
        size = (square / (1 - self.square_decay**count)).sqrt_().add_(self.floor)
        stepped = parameters.addcdiv(mean, size, value=-self.lr / (1 - self.mean_decay**count))
        return stepped, {"mean": mean, "square": square, "steps": steps}


OPTIMIZERS: Table = {"adam": Adam, "sgd": Sgd}
"""The optimizers by name."""
