"""The level-k attack of recursive reasoning about training-time adversarial machine learning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from torch import Tensor

from sparring.attacks.minibatch.history import play, with_momentum, zero_history
from sparring.contracts import Memory, MinibatchView, Objective, Preparation
from sparring.errors import ConfigError
from sparring.training.bounds import Norm
from sparring.training.gradients import summed_gradient
from sparring.training.objectives import Conversion, Evasion
from sparring.training.reasoning import Method, Reasoning, Steps, StepSize, Utility, learner_utility
from sparring.validation import fraction, positive

GOALS: Mapping[str, Callable[[int], Objective]] = {"conversion": Conversion, "evasion": Evasion}


@dataclass(frozen=True)
class LevelKAttack:
    r"""Move every input by ε along the direction that raises the loss on validation data most after the next step.

    A level-k attacker computes gradients up to order k and expects a level-(k - 1) defender.

    $$\delta^1(x) = e(\nabla_x U), \qquad \nabla_x U = -\eta\, [\nabla_x \nabla_\theta L(x)]^\top
    \sum_z \nabla_\theta L(z)$$
    """

    level: int = 1
    """k, at least 0; level 0 leaves the inputs unchanged."""
    epsilon: float = 3.0
    """ε, the largest norm of an example's perturbation, above 0."""
    norm: Norm = "l2"
    """`l2`, or `linf` for the largest magnitude."""
    momentum: float = 0.95
    """β, how much of an example's earlier perturbation is kept, from 0 to below 1; 0 keeps no history."""
    goal: Literal["untargeted", "conversion", "evasion"] = "untargeted"
    """To raise the loss; to have every other class predicted as `target`; or to have `target` predicted as another."""
    target: int | None = None
    """The class that a conversion or an evasion is about."""
    eta: float | None = None
    """η, the learner's step along the gradient of the summed loss; null for the learner's own."""
    method: Method = "auto"
    """`closed_form` (levels 1 and 2), `descent`, or `auto`: closed form where it exists."""
    step: StepSize = "infinite"
    """The step of descent: `infinite`, `theorem` for Γₖ, or the length of a step along the unit direction."""
    steps: Steps = "theorem"
    """The number of steps: `theorem` for max(k, c/Γₖ), `printed` for max(k, cΓₖ), or a number."""
    smoothness: float = 0.203
    """M, which determines Γₖ; published are 0.203 (MNIST), 0.351 (CIFAR-10) and 1.04 (two classes of ImageNet)."""
    effort: float = 2.0
    """c in the number of steps; published are 2 (MNIST), 0.5 (CIFAR-10) and 0.01 (two classes of ImageNet)."""
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )
    cost: ClassVar[str] = "one double backward pass; level 2: two, and one on validation data; then two per step"
    assumption: ClassVar[str] = "the attacker knows the model at every step"

    def __post_init__(self) -> None:
        self._reasoning.check("level_k")
        fraction("level_k", momentum=self.momentum)
        if self.eta is not None:
            positive("level_k", eta=self.eta)
        if (self.goal in GOALS) != (self.target is not None):
            remedy = "give the target class" if self.goal in GOALS else "omit the target, or use a targeted goal"
            raise ConfigError(f"level_k: goal={self.goal!r} with target={self.target}; {remedy}")
        if self.goal in GOALS and self.target is not None:
            GOALS[self.goal](self.target)

    def prepare(self, preparation: Preparation) -> Memory:
        return {} if self.level == 0 else zero_history("level_k", preparation, momentum=self.momentum)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        if self.level == 0:
            return view.batch.inputs, memory
        expected = learner_utility("level_k", view, eta=self.eta)
        moves = self._reasoning.attack(view.batch.inputs, self._wanted(expected), expected)
        moves, after = with_momentum("level_k", view, memory, moves=moves, momentum=self.momentum, norm=self.norm)
        return play(view, moves, epsilon=self.epsilon), after

    @property
    def differentiates_twice(self) -> bool:
        """Whether it needs the model's mixed second derivatives."""
        return self.level > 0

    @property
    def _reasoning(self) -> Reasoning:
        return Reasoning(
            self.level, self.epsilon, self.norm, self.method, self.step, self.steps, self.smoothness, self.effort
        )

    def _wanted(self, expected: Utility) -> Utility:
        """Return the attacker's own utility; the defender that it expects defends against untargeted attacks."""
        if self.target is None:
            return expected
        goal = GOALS[self.goal](self.target)
        gradient = summed_gradient(expected.network, expected.parameters, batch=expected.validation, objective=goal)
        return replace(expected, goal=goal, gradient=gradient)
