"""No purification of minibatches."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.contracts import Memory, MinibatchView, Purified


@dataclass(frozen=True)
class Unchanged:
    """Train on the minibatch as the attacker left it: the level-0 defender."""

    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "nothing"
    assumption: ClassVar[str] = "nothing: it is the baseline without a defense"

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        return Purified(view.batch), memory
