"""What optimal contraction and the influence function share: a direction that contains the inverse Hessian."""

from dataclasses import dataclass

from torch import Tensor

from sparring.attacks.minibatch.history import play, with_momentum
from sparring.contracts import Memory, MinibatchView
from sparring.training.bounds import Norm, check_norm, unit_rows
from sparring.training.reasoning import learner_utility
from sparring.validation import at_least, fraction, positive

SOLVED = 0.01
"""A relative residual of the linear system above which a round is noted as not solved."""


@dataclass(frozen=True)
class NewtonMove:
    """The move of one of the two attacks, with its settings."""

    player: str
    epsilon: float
    norm: Norm
    momentum: float
    damping: float
    iterations: int

    def check(self) -> None:
        """Reject settings out of range."""
        positive(self.player, epsilon=self.epsilon)
        fraction(self.player, momentum=self.momentum)
        at_least(0, self.player, damping=self.damping)
        at_least(1, self.player, iterations=self.iterations)
        check_norm(self.player, self.norm)

    def perturb(self, view: MinibatchView, memory: Memory, *, with_step: bool) -> tuple[Tensor, Memory]:
        """Return the perturbed inputs and the memory; `with_step` counts the learner's own step.

        A Hessian that is not positive, and a system that is not solved, are noted for all rows.
        """
        utility = learner_utility(self.player, view, eta=None)
        newton = utility.newton_step(damping=self.damping, iterations=self.iterations)
        everyone = range(len(view.batch.labels))
        if newton.negative_curvature:
            view.note("negative_curvature", everyone)
        elif newton.residual > SOLVED:
            view.note("not_solved", everyone)
        moves = unit_rows(utility.contraction(view.batch.inputs, newton.solution, with_step=with_step), self.norm)
        moves, after = with_momentum(self.player, view, memory, moves=moves, momentum=self.momentum, norm=self.norm)
        return play(view, moves, epsilon=self.epsilon), after
