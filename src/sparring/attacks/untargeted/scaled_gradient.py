"""Scaled gradient: each malicious client's own update times a constant, the joint actions that need no learning.

MARL, the multi-agent reinforcement learning attack, sets the factors by a policy (section 3.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError

FACTORS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""The factors of the constant joint actions, beside the lowest that gradient rescaling allows."""


def ranks_of(clients: Sequence[int]) -> NDArray[np.int64]:
    """Return each client's rank: its position among these clients in ascending order (MARL, section 2)."""
    return np.argsort(np.argsort(np.asarray(clients)))


def times_own_updates(view: BlackBoxView, factors: NDArray[np.floating]) -> Matrix:
    """Return each client's own update times its factor; what overflows float32 becomes its largest number."""
    column = torch.from_numpy(np.asarray(factors, np.float32)).to(view.parameters.device)[:, None]
    return own_updates(view).mul_(column).nan_to_num_()


@dataclass(frozen=True)
class ScaledGradient:
    r"""Submit each client's own update times a constant factor, the same in every round.

    $$u_i \leftarrow a_i\, u_i$$

    The clients of a round are ranked by their number. $a_i$ is `factor` for the lower half of the ranks and `second`
    for the upper half; of an odd number of clients, the one in the middle has the mean of both.
    """

    factor: float
    """What an update is multiplied by; 1 is honest, -1 reverses it."""
    second: float | None = None
    """The factor of the upper half of the ranks; null means the same."""
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(f d)"
    assumption: ClassVar[str] = "the length or the sign of an update changes what the rule does"

    def __post_init__(self) -> None:
        for name, factor in {"factor": self.factor, "second": self._upper}.items():
            if not isfinite(factor):
                raise ConfigError(f"scaled_gradient.{name} is {factor}; it must be finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        # -1 for the lower half of the ranks, 1 for the upper half, 0 in the middle.
        side = np.sign(2 * ranks_of(view.clients) + 1 - len(view.clients))
        return times_own_updates(view, (self.factor * (1 - side) + self._upper * (1 + side)) / 2)

    @property
    def _upper(self) -> float:
        return self.factor if self.second is None else self.second


def constant_joint_actions(
    lowest: float | None = None, factors: Sequence[float] = FACTORS
) -> tuple[ScaledGradient, ...]:
    """Return the oracle's grid: every factor for all ranks, and every two factors for one half of the ranks each.

    `lowest` is another factor, such as the lowest that gradient rescaling allows. Which half has which factor does not
    matter, since the ranks are those of clients drawn at random.
    """
    grid = sorted({*factors, *(() if lowest is None else (lowest,))})
    return (*map(ScaledGradient, grid), *(ScaledGradient(*pair) for pair in combinations(grid, 2)))
