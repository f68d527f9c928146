"""Optimal contraction: push the model away from the best parameters of a quadratic validation loss."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.attacks.minibatch.history import zero_history
from sparring.attacks.minibatch.newton import NewtonMove
from sparring.contracts import Memory, MinibatchView, Preparation
from sparring.training.bounds import Norm


@dataclass(frozen=True)
class OptimalContraction:
    r"""Maximize the distance from θ - (H + λ)⁻¹g, the minimum of the quadratic validation loss (corollary 1).

    $$\delta(x) = -e\big([\nabla_x \nabla_\theta L(x)]^\top [(H + \lambda)^{-1} g - \eta \nabla_\theta L(x)]\big)$$
    """

    epsilon: float = 3.0
    """ε, the largest norm of an example's perturbation, above 0."""
    norm: Norm = "l2"
    """`l2`, or `linf` for the largest magnitude."""
    momentum: float = 0.95
    """β, how much of an example's earlier perturbation is kept, from 0 to below 1; 0 keeps no history."""
    damping: float = 0.1
    """λ per validation example, added to the Hessian's diagonal, at least 0; it decides how strong the attack is, and
    the paper does not state it."""
    iterations: int = 30
    """Largest number of steps of conjugate gradients, at least 1."""
    differentiates_twice: ClassVar[bool] = True
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "a product with the Hessian of the validation data per iteration"
    assumption: ClassVar[str] = "the attacker knows the model at every step; the validation loss is convex"

    def __post_init__(self) -> None:
        self._move.check()

    def prepare(self, preparation: Preparation) -> Memory:
        return zero_history("optimal_contraction", preparation, momentum=self.momentum)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        return self._move.perturb(view, memory, with_step=True)

    @property
    def _move(self) -> NewtonMove:
        return NewtonMove("optimal_contraction", self.epsilon, self.norm, self.momentum, self.damping, self.iterations)
