"""Sign flipping: each malicious client reverses its own update."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError


@dataclass(frozen=True)
class SignFlip:
    r"""Submit each client's own update times `-scale`; values that overflow float32 become its largest number.

    $$u_i \leftarrow -s\, u_i$$

    $s$ is `scale`.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    scale: float = 1.0
    """What the reversed update is multiplied by, above 0; 1 keeps its norm."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(f d)"
    assumption: ClassVar[str] = "the rule averages updates whatever their direction"

    def __post_init__(self) -> None:
        if not 0 < self.scale < inf:
            raise ConfigError(f"sign_flip.scale is {self.scale}; it must be positive and finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        return own_updates(view).mul_(-self.scale).nan_to_num_()
