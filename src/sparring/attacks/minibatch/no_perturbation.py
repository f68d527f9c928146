"""No attack on minibatches."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.contracts import Memory, MinibatchView


@dataclass(frozen=True)
class NoPerturbation:
    """Leave every minibatch as it is: the level-0 attacker."""

    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "nothing"
    assumption: ClassVar[str] = "nothing: it is the baseline without an attack"

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        return view.batch.inputs, memory
