"""Open-loop plans: action sequences independent of observations, optimized by gradient ascent on the return."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
import torch
from torch import Tensor

from sparring.errors import ConfigError
from sparring.random import Generator


@dataclass(frozen=True)
class PlanAscent:
    """Settings of the search for a plan: several random starts, each action clipped to [-1, 1]."""

    starts: int = 8
    steps: int = 100
    lr: float = 0.1

    def __post_init__(self) -> None:
        if min(self.starts, self.steps) < 1 or not 0 < self.lr < inf:
            raise ConfigError(f"{self} cannot search; use starts >= 1, steps >= 1 and a positive lr")


def best_plan(
    returns: Callable[[Tensor], Tensor], *, shape: tuple[int, int], climb: PlanAscent = PlanAscent(), rng: Generator
) -> Tensor:
    """Return the `[steps, numbers]` actions with the highest return found.

    `returns` computes the return of each of `[plans, steps, numbers]`, and autograd its gradient.
    """
    drawn = rng.uniform(-1, 1, (climb.starts, *shape)).astype(np.float32)
    plans = torch.from_numpy(drawn).requires_grad_()
    optimizer = torch.optim.Adam([plans], lr=climb.lr, maximize=True)
    for _ in range(climb.steps):
        optimizer.zero_grad()
        returns(plans).sum().backward()
        optimizer.step()
        with torch.no_grad():
            plans.clamp_(-1, 1)
    with torch.no_grad():
        return plans[returns(plans).argmax()].clone()
