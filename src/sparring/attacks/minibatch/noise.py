"""Noise: a random direction of full length, the control for all attacks on minibatches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.contracts import Memory, MinibatchView
from sparring.training.bounds import Norm, check_norm, clip_to_pixels, unit_rows
from sparring.validation import positive


@dataclass(frozen=True)
class Noise:
    r"""Move each input by `epsilon` in a random direction, drawn again in each round.

    $$x' = x + \epsilon\, \frac{n}{\lVert n \rVert}, \quad n \sim \mathcal{N}(0, I)$$
    """

    epsilon: float = 3.0
    """The norm of each example's perturbation; published with 3 for MNIST, 2 for CIFAR and 4 for ImageNet."""
    norm: Norm = "l2"
    """The norm that is bounded: Euclidean, or the largest change of a pixel."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(b p)"
    assumption: ClassVar[str] = "the learner is sensitive to any change of its inputs"

    def __post_init__(self) -> None:
        positive("noise", epsilon=self.epsilon)
        check_norm("noise", self.norm)

    def perturb(self, view: MinibatchView, memory: Memory) -> tuple[Tensor, Memory]:
        inputs = view.batch.inputs
        drawn = torch.from_numpy(view.rng.standard_normal(tuple(inputs.shape), dtype=np.float32)).to(inputs)
        return clip_to_pixels(inputs + self.epsilon * unit_rows(drawn, self.norm)), memory
