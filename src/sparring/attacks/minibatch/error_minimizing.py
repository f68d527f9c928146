"""Error-minimizing noise (Huang et al., 2021): examples that teach nothing, since their loss is small already."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.attacks.minibatch.ascent import ascend, check_ascent, learner_loss, stretch
from sparring.contracts import Memory, MinibatchView
from sparring.training.bounds import Norm


@dataclass(frozen=True)
class ErrorMinimizing:
    r"""Move each input down the learner's loss, so that the model learns the perturbation in place of the image.

    $$\min_{\lVert x' - x \rVert \le \epsilon} L_\theta(x')$$

    The perturbation is computed against the model of each round, by projected gradient steps of equal length, and is
    scaled to the norm `epsilon`. The authors train it beforehand against a model of their own.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    steps: int = 5
    """Gradient steps in each round."""
    norm: Norm = "l2"
    """The norm that is bounded, and in which steps are taken: Euclidean, or the largest change of a pixel."""
    paper: ClassVar[str] = "Huang et al., 2021, Unlearnable examples: making personal data unexploitable, ICLR"
    cost: ClassVar[str] = "O(steps) gradients"
    assumption: ClassVar[str] = "the learner trains on nothing but perturbed examples"

    def __post_init__(self) -> None:
        check_ascent("error_minimizing", epsilon=self.epsilon, steps=self.steps, norm=self.norm)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        losses, inputs = learner_loss(view), view.batch.inputs
        moved = ascend(lambda moving: -losses(moving), inputs, epsilon=self.epsilon, steps=self.steps, norm=self.norm)
        return stretch(inputs, moved, epsilon=self.epsilon, norm=self.norm), memory
