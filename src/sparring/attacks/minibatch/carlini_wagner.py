"""The attack of Carlini and Wagner (2017) on minibatches: the hinge of the logits under a hard bound."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch
from torch import Tensor

from sparring.attacks.minibatch.ascent import ascend, check_ascent, stretch
from sparring.contracts import Memory, MinibatchView
from sparring.errors import ConfigError
from sparring.training.bounds import Norm


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return by how much each example's own logit exceeds the largest other one; below zero for a wrong class."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    others = logits.masked_fill(own, -inf).amax(dim=1)
    return logits.masked_fill(~own, 0).sum(dim=1) - others


@dataclass(frozen=True)
class CarliniWagner:
    r"""Move each input until the model prefers another class, by gradient steps down the hinge of the logits.

    $$\min_{\lVert \delta \rVert \le \epsilon} \max\left(z_y - \max_{j \ne y} z_j,\ -\kappa\right)$$

    The authors minimize the norm plus c times the hinge, and search for c. Here the bound is hard and perturbations are
    normalized to it, so that the norm's term has no effect: what is left is projected gradient descent on the hinge. An
    example with a margin below -κ has no slope; unless an earlier step moved it, it is not perturbed.
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    steps: int = 5
    """Gradient steps in each round."""
    norm: Norm = "l2"
    """The norm that is bounded, and in which steps are taken: Euclidean, or the largest change of a pixel."""
    confidence: float = 0.0
    """κ: by how much another logit shall exceed the true one; 0 or more."""
    paper: ClassVar[str] = "Carlini & Wagner, 2017, Towards evaluating the robustness of neural networks, IEEE S&P"
    cost: ClassVar[str] = "O(steps) gradients"
    assumption: ClassVar[str] = "what misleads the model of a round also misleads its training"

    def __post_init__(self) -> None:
        check_ascent("cw", epsilon=self.epsilon, steps=self.steps, norm=self.norm)
        if not 0 <= self.confidence < inf:
            raise ConfigError(f"cw: confidence={self.confidence}; use a finite confidence >= 0")

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        tensors, labels = view.network.split(view.parameters.detach()), view.batch.labels
        inputs = view.batch.inputs

        def gain(moving: Tensor) -> Tensor:
            return -margins(view.network.forward(tensors, moving), labels).clamp(min=-self.confidence)

        moved = ascend(gain, inputs, epsilon=self.epsilon, steps=self.steps, norm=self.norm)
        return stretch(inputs, moved, epsilon=self.epsilon, norm=self.norm), memory
