"""FGSM-PGD (Madry et al., 2018): a few gradient steps up the learner's loss, the attack of adversarial training."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.attacks.minibatch.ascent import Utility, ascend, check_ascent, learner_loss, stretch
from sparring.contracts import Memory, MinibatchView
from sparring.training.bounds import Norm, check_norm


def ascend_elsewhere(
    utility: Utility, inputs: Tensor, *, epsilon: float, steps: int, norms: tuple[Norm, Norm]
) -> Tensor:
    """Climb in the ball of the first norm that suits `epsilon` in the second; return perturbations of full length.

    Balls of the two norms suit each other if a perturbation that changes all values by the same magnitude reaches the
    boundary of both: √values times the maximum norm is then the Euclidean norm.
    """
    climbed, bounded = norms
    values = inputs[0].numel() ** 0.5
    radius = epsilon if climbed == bounded else epsilon / values if climbed == "linf" else epsilon * values
    moved = ascend(utility, inputs, epsilon=radius, steps=steps, norm=climbed)
    return stretch(inputs, moved, epsilon=epsilon, norm=bounded)


@dataclass(frozen=True)
class FgsmPgd:
    r"""Move each input up the learner's loss by projected gradient steps, then scale the change to the bound.

    $$x_{i+1} = \Pi\left(x_i + \alpha\, \mathrm{sign}\, \nabla_x L_\theta(x_i)\right)$$

    As published, steps are taken by the signs of the gradient, in the maximum norm, and the perturbation is normalized
    to the Euclidean bound. The search starts at the example itself, without a random move.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    steps: int = 5
    """Gradient steps in each round."""
    norm: Norm = "l2"
    """The norm that is bounded: Euclidean, or the largest change of a pixel."""
    climbs_in: Norm = "linf"
    """The norm in which steps are taken: by the gradient's signs (`linf`), or along the gradient (`l2`)."""
    paper: ClassVar[str] = "Madry et al., 2018, Towards deep learning models resistant to adversarial attacks, ICLR"
    cost: ClassVar[str] = "O(steps) gradients"
    assumption: ClassVar[str] = "what misleads the model of a round also misleads its training"

    def __post_init__(self) -> None:
        check_ascent("fgsm_pgd", epsilon=self.epsilon, steps=self.steps, norm=self.norm)
        check_norm("fgsm_pgd", self.climbs_in)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        norms = (self.climbs_in, self.norm)
        moved = ascend_elsewhere(
            learner_loss(view), view.batch.inputs, epsilon=self.epsilon, steps=self.steps, norms=norms
        )
        return moved, memory
