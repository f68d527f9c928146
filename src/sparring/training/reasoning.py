"""Recursive reasoning about one minibatch: what its perturbation does to the loss on validation data.

The utility of a minibatch is how much the validation loss rises by the learner's next step (equation 5). The attacker
climbs it, the defender descends it, and level k is the order of gradients that a player can compute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import Literal

import torch
from torch import Tensor

from sparring.arrays import Batch, Vector, briefly, pixels
from sparring.contracts import MinibatchView, Network, Objective
from sparring.errors import ConfigError
from sparring.training.bounds import Norm, check_norm, clip_to_pixels, project_rows, unit_rows
from sparring.training.curvature import LinearSolution, conjugate_gradients, hessian_product
from sparring.training.gradients import summed_gradient, summed_loss
from sparring.training.mixed_derivative import mixed_gradient
from sparring.validation import at_least, positive

Slope = Callable[[Tensor], Tensor]
"""The gradient of a utility in the inputs, at any inputs of the minibatch: a row per example."""


@dataclass(frozen=True, eq=False)
class Utility:
    """What one gradient step on a minibatch changes in the summed loss on validation data, as a function of its inputs.

    `goal` is the loss on validation data, which may differ from the learner's objective if an attack is targeted.
    """

    network: Network
    parameters: Vector
    objective: Objective
    """What the learner descends."""
    labels: Tensor
    """Those of the minibatch."""
    eta: float
    """η: the step is `eta` times the gradient of the summed loss."""
    goal: Objective
    validation: Batch
    gradient: Vector
    """The gradient of the summed `goal` on `validation`."""

    __repr__ = briefly

    def value(self, inputs: Tensor) -> float:
        """Return the utility itself (equations 4 and 5)."""
        after = self.parameters - self.eta * self._step(inputs)
        before = self._validation_loss(self.parameters)
        return self._validation_loss(after) - before

    def first(self, inputs: Tensor) -> Tensor:
        """Return the gradient as a level-1 player sees it (equation 7)."""
        return self._pulled_back(inputs, self.gradient)

    def second(self, inputs: Tensor) -> Tensor:
        """Return the gradient as a level-2 player sees it in the limit of small perturbations (theorem 2, corollary 3).

        Equation B.5 prints both signs the other way round; the theorem's are right.
        """
        bend = hessian_product(
            self.network,
            self.parameters,
            batch=self.validation,
            direction=self._step(inputs),
            objective=self.goal,
        )
        return self._pulled_back(inputs, self.gradient - self.eta * bend)

    def newton_step(self, *, damping: float, iterations: int) -> LinearSolution:
        """Solve (H + λ)w = g, where H and g are those of the validation loss and λ is `damping` per example."""
        return conjugate_gradients(
            lambda vector: hessian_product(
                self.network, self.parameters, batch=self.validation, direction=vector, objective=self.goal
            ),
            self.gradient,
            damping=damping * len(self.validation.labels),
            iterations=iterations,
        )

    def contraction(self, inputs: Tensor, newton: Vector, *, with_step: bool) -> Tensor:
        """Return the gradient of the distance from θ - w, the best parameters of the quadratic validation loss.

        w is the Newton step. This is optimal contraction (corollary 1); without the learner's own step it is the
        influence function (equation 8).
        """
        return self._pulled_back(inputs, newton - self.eta * self._step(inputs) if with_step else newton)

    def _pulled_back(self, inputs: Tensor, direction: Vector) -> Tensor:
        batch = Batch(inputs, self.labels)
        return mixed_gradient(
            self.network, self.parameters, batch=batch, direction=-self.eta * direction, objective=self.objective
        )

    def _step(self, inputs: Tensor) -> Vector:
        batch = Batch(inputs, self.labels)
        return summed_gradient(self.network, self.parameters, batch=batch, objective=self.objective)

    @torch.no_grad()
    def _validation_loss(self, parameters: Vector) -> float:
        tensors = self.network.split(parameters)
        return summed_loss(self.network, tensors, batch=self.validation, objective=self.goal).item()


def learner_utility(player: str, view: MinibatchView, *, eta: float | None) -> Utility:
    """Return the utility of the round's minibatch with the learner's own objective as the goal.

    `eta` replaces that of the round if it is given.
    """
    if len(view.validation.labels) == 0:
        raise ConfigError(f"{player}: there are no validation data to reason about; set data.validation")
    step = view.eta if eta is None else eta
    gradient = view.validation_gradient()
    learner = view.objective
    return Utility(view.network, view.parameters, learner, view.batch.labels, step, learner, view.validation, gradient)


StepSize = float | Literal["infinite", "theorem"]
"""The size of a step of gradient descent: of `infinite` length before it is projected, as published; Γ_k of the
`theorem`; or a number, the length of every step along the unit direction."""
Steps = int | Literal["theorem", "printed"]
"""How many steps: max(k, c/Γ_k) by the `theorem`, max(k, cΓ_k) as `printed`, or a number."""
Method = Literal["auto", "closed_form", "descent"]
"""Directions in closed form exist for levels 1 and 2; `auto` takes them where they exist, and descends from there."""


@dataclass(frozen=True)
class Reasoning:
    """How a player at level k moves inputs within a ball of radius ε."""

    level: int
    epsilon: float
    norm: Norm = "l2"
    method: Method = "auto"
    step: StepSize = "infinite"
    steps: Steps = "theorem"
    smoothness: float = 0.203
    """M of theorem 3."""
    effort: float = 2.0
    """c, the factor in the number of steps."""

    def check(self, player: str) -> None:
        """Reject settings out of range, in the name of the player."""
        at_least(0, player, level=self.level)
        positive(player, epsilon=self.epsilon, smoothness=self.smoothness, effort=self.effort)
        check_norm(player, self.norm)
        if not isinstance(self.step, str):
            positive(player, step=self.step)
        if not isinstance(self.steps, str):
            at_least(1, player, steps=self.steps)
        if self.method == "closed_form" and self.level > 2:
            raise ConfigError(f"{player}: method='closed_form' with level={self.level}; use 'descent' above level 2")

    @property
    def is_closed_form(self) -> bool:
        return self.method != "descent" and self.level <= 2

    @property
    def count(self) -> int:
        """The number of steps of descent."""
        if not isinstance(self.steps, str):
            return self.steps
        if self.level == 1:
            return 1
        gamma = step_size(self.level, epsilon=self.epsilon, smoothness=self.smoothness)
        return number_of_steps(self.level, gamma, effort=self.effort, printed=self.steps == "printed")

    def attack(self, inputs: Tensor, utility: Utility, defense: Utility) -> Tensor:
        """Return δ, rows of norm at most 1; `defense` is the utility whose gradient the imagined defender descends."""
        if self.level == 0:
            return torch.zeros_like(inputs)
        if self.is_closed_form:
            return unit_rows(self._slope(utility)(inputs), self.norm)
        return self._nested(inputs, utility.first, defense.first)

    def defend(self, inputs: Tensor, utility: Utility) -> Tensor:
        """Return σ, rows of norm at most 1."""
        moved = torch.zeros_like(inputs)
        if self.level == 0:
            return moved
        if self.is_closed_form:
            return -unit_rows(self._slope(utility)(inputs), self.norm)
        for _ in range(self.count):  # equation 10
            moved = self._moved(moved, -utility.first(self._at(inputs, moved)), level=self.level)
        return moved

    def _slope(self, utility: Utility) -> Slope:
        return utility.first if self.level == 1 else utility.second

    def _nested(self, inputs: Tensor, climb: Slope, imagined: Slope) -> Tensor:
        """Return δ by the attacker's nested descent (equation 9); at level 1 no defender is imagined."""
        attacked = defended = torch.zeros_like(inputs)
        for step in range(self.count):
            attacked = self._moved(attacked, climb(self._at(inputs, attacked + defended)), level=self.level)
            if self.level > 1 and step + 1 < self.count:
                slope = imagined(self._at(inputs, attacked + defended))
                defended = self._moved(defended, -slope, level=self.level - 1)
        return attacked

    def _at(self, inputs: Tensor, moved: Tensor) -> Tensor:
        """Return the moved inputs, within the range of pixels at all times (footnote 10)."""
        return clip_to_pixels(inputs + self.epsilon * moved)

    def _moved(self, moved: Tensor, slope: Tensor, *, level: int) -> Tensor:
        """Return the next iterate of a level; a row without a slope stays where it is."""
        if self.step == "theorem" and level > 1:
            gamma = step_size(level, epsilon=self.epsilon, smoothness=self.smoothness)
            return project_rows(moved + (gamma / self.epsilon) * slope, self.norm)
        direction = unit_rows(slope, self.norm)
        if isinstance(self.step, str):
            has_slope = direction.flatten(1).any(dim=1).view(-1, *(1,) * (direction.ndim - 1))
            return torch.where(has_slope, direction, moved)
        return project_rows(moved + self.step * direction, self.norm)


def step_size(level: int, *, epsilon: float, smoothness: float) -> float:
    """Return Γ_k of theorem 3, with M as `smoothness`; infinite at level 1."""
    if level == 1:
        return inf
    return 1 / (smoothness**2 * level**2 * (1 + 2 * smoothness * epsilon) ** (level - 2))


def number_of_steps(level: int, gamma: float, *, effort: float, printed: bool = False) -> int:
    """Return how many steps approximate level k: at least k, and c/Γ_k, with c as `effort`.

    Appendix B.3.2 has cΓ_k `printed`, which falls with the level; theorem 3 needs a number that is inverse to Γ_k.
    """
    return max(level, ceil(effort * gamma if printed else effort / gamma))


def estimate_m(
    network: Network, parameters: Vector, *, label: int, validation: Batch, eta: float, objective: Objective
) -> float:
    """Return the estimate of M in appendix B.3.2: √N |U(1)|, the change of validation loss by a step on a white image.

    N is the number of pixels. The paper has 0.203, 0.351 and 1.04 for MNIST, CIFAR-10 and two classes of ImageNet; the
    estimate varies a hundredfold with the label and with the model's initial parameters.
    """
    white = torch.ones_like(pixels(validation.inputs[:1]))
    labels = torch.full_like(validation.labels[:1], label)
    gradient = torch.zeros_like(parameters)  # the value of a utility needs none
    utility = Utility(network, parameters, objective, labels, eta, objective, validation, gradient)
    return float(white.numel() ** 0.5 * abs(utility.value(white)))
