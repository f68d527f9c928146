"""No attack: malicious clients that train honestly."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView


@dataclass(frozen=True)
class NoAttack:
    """Submit the clients' trained updates; with a poison this is pure data poisoning."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "nothing"
    assumption: ClassVar[str] = "nothing: it is the baseline without crafted updates"

    def craft(self, view: BlackBoxView) -> Matrix:
        return own_updates(view)
