"""Perturbations that were recorded elsewhere, as in a black-box attack (section 4.6)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.attacks.minibatch.history import play
from sparring.contracts import Memory, MinibatchView
from sparring.errors import ConfigError
from sparring.training.bounds import Norm, check_norm, project_rows
from sparring.validation import positive


@dataclass(frozen=True)
class RecordedAttack:
    """Add ε times the perturbation that the memory holds for each example: `record`, `[n, ...]` rows of norm at most 1.

    An example that is not in the record, whose index is n or more, stays as it is.
    """

    epsilon: float = 3.0
    """ε, the largest norm of an example's perturbation, above 0."""
    norm: Norm = "l2"
    """`l2`, or `linf` for the largest magnitude."""
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "one addition"
    assumption: ClassVar[str] = "the attacker recognizes the training examples; it needs no access to the model"

    def __post_init__(self) -> None:
        positive("recorded", epsilon=self.epsilon)
        check_norm("recorded", self.norm)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        if view.examples is None or "record" not in memory:
            raise ConfigError("recorded: there is no record of perturbations; the game has to make one first")
        record, inputs = memory["record"], view.batch.inputs
        is_known = view.examples < len(record)
        moves = inputs.new_zeros(inputs.shape)
        moves[is_known] = project_rows(record[view.examples[is_known]].to(inputs.dtype), self.norm)
        return play(view, moves, epsilon=self.epsilon), memory
