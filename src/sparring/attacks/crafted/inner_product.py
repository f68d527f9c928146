"""Inner product manipulation (Xie et al., 2020, "Fall of empires")."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.crafted.knowledge import mean_update, submitted
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError


@dataclass(frozen=True)
class InnerProduct:
    """Submit the honest mean times `-scale`, so that the aggregate points away from it.

    In a round without honest updates the clients submit their own.
    """

    needs: ClassVar[type[BlackBoxView]] = OmniscientView
    scale: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.scale < inf:
            raise ConfigError(f"ipm.scale is {self.scale}; it must be positive and finite")

    def craft(self, view: OmniscientView) -> Matrix:
        return submitted(view, "full", made=lambda honest: mean_update(honest).mul_(-self.scale).nan_to_num_())
