"""An attack type ξ of the meta-Stackelberg game (section 2.1): the attackers, their goal, method and settings."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar, NoReturn

from sparring.contracts import BlackBoxView, WhiteBoxView
from sparring.errors import ConfigError
from sparring.federation import Attacker


@dataclass(frozen=True)
class SeatControlled:
    """Placeholder for the attack that a seat's action sets in each round."""

    seat: str = "attacker"
    needs: ClassVar[type[BlackBoxView]] = WhiteBoxView

    def craft(self, view: BlackBoxView) -> NoReturn:
        raise ConfigError(f"seat {self.seat!r} has no action; play the game that it belongs to")


@dataclass(frozen=True)
class AttackType:
    """Attackers that act together, and the type's weight in the prior Q."""

    attackers: tuple[Attacker, ...]
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.weight < inf:
            raise ConfigError(f"attack type weight is {self.weight}; it must be at least 0 and finite")

    @property
    def seats(self) -> tuple[str, ...]:
        """The seats that control its attackers."""
        return tuple(attacker.attack.seat for attacker in self.attackers if isinstance(attacker.attack, SeatControlled))
