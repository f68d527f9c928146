"""No attack: malicious clients that train as they were told."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView


@dataclass(frozen=True)
class NoAttack:
    """Submit what training gives; with a poison this is the attack on the data alone."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "nothing"
    assumption: ClassVar[str] = "nothing: it is the baseline without crafted updates"

    def craft(self, view: BlackBoxView) -> Matrix:
        return own_updates(view)
