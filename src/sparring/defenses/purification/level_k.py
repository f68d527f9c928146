"""The level-k defense of recursive reasoning about training-time adversarial machine learning."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Batch
from sparring.contracts import Memory, MinibatchView, Purified
from sparring.training.bounds import Norm, clip_to_pixels
from sparring.training.reasoning import Method, Reasoning, Steps, StepSize, learner_utility
from sparring.validation import positive


@dataclass(frozen=True)
class LevelKDefense:
    r"""Move every input by ε along the direction that lowers the loss on validation data most after the next step.

    A level-k defender computes gradients up to order k. It sees the minibatch as the attacker left it, and its labels.

    $$\sigma^1(x') = -e(\nabla_x U), \qquad \nabla_x U = -\eta\, [\nabla_x \nabla_\theta L(x')]^\top
    \sum_z \nabla_\theta L(z)$$
    """

    level: int = 1
    """k, at least 0; level 0 leaves the inputs unchanged."""
    epsilon: float = 3.0
    """ε, the largest norm of an example's transformation, above 0; beyond the attacker's it overfits slightly."""
    norm: Norm = "l2"
    """`l2`, or `linf` for the largest magnitude."""
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
    cost: ClassVar[str] = "one double backward pass; level 2: two, and one on validation data; then one per step"
    assumption: ClassVar[str] = "the server has clean validation data"

    def __post_init__(self) -> None:
        self._reasoning.check("level_k")
        if self.eta is not None:
            positive("level_k", eta=self.eta)

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        if self.level == 0:
            return Purified(view.batch), memory
        utility = learner_utility("level_k", view, eta=self.eta)
        moves = self._reasoning.defend(view.batch.inputs, utility)
        purified = clip_to_pixels(view.batch.inputs + self.epsilon * moves)
        return Purified(Batch(purified, view.batch.labels)), memory

    @property
    def differentiates_twice(self) -> bool:
        """Whether it needs the model's mixed second derivatives."""
        return self.level > 0

    @property
    def _reasoning(self) -> Reasoning:
        return Reasoning(
            self.level, self.epsilon, self.norm, self.method, self.step, self.steps, self.smoothness, self.effort
        )
