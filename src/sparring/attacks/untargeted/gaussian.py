"""Random updates, the weakest baseline of untargeted poisoning."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np
import torch

from sparring.arrays import Matrix
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError


@dataclass(frozen=True)
class Gaussian:
    r"""Submit independent noise around zero; `std` is its standard deviation on each parameter of the update.

    $$u_i \sim \mathcal{N}(0, \sigma^2 I)$$
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    std: float = 1.0
    """The standard deviation of the noise on each parameter, above 0."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(f d)"
    assumption: ClassVar[str] = "the rule averages updates without a bound on their norm"

    def __post_init__(self) -> None:
        if not 0 < self.std < inf:
            raise ConfigError(f"gaussian.std is {self.std}; it must be positive and finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        noise = view.rng.standard_normal((len(view.clients), view.network.size), dtype=np.float32)
        return torch.from_numpy(noise).to(view.parameters.device).mul_(self.std).nan_to_num_()
