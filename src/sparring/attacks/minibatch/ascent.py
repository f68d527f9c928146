"""Projected gradient ascent on the inputs of a minibatch, the loop that test-time attacks share."""

from collections.abc import Callable

import torch
from torch import Tensor

from sparring.arrays import Batch
from sparring.contracts import MinibatchView
from sparring.errors import ConfigError
from sparring.training.bounds import Norm, bounded_inputs, check_norm, clip_to_pixels, row_sizes, unit_rows
from sparring.validation import at_least, positive

REACH = 2.5
"""The total length of the steps, in multiples of the bound, as in Madry et al. (2018)."""

Utility = Callable[[Tensor], Tensor]
"""Returns what the attacker gains from each example, `[examples]`, as a differentiable function of the inputs."""


def check_ascent(player: str, *, epsilon: float, steps: int, norm: object) -> None:
    """Reject settings with which no perturbation can be computed."""
    positive(player, epsilon=epsilon)
    at_least(1, player, steps=steps)
    check_norm(player, norm)


def input_slope(utility: Utility, inputs: Tensor) -> Tensor:
    """Return the gradient in the inputs of the sum of all examples' utilities."""
    leaf = inputs.detach().requires_grad_()
    with torch.enable_grad():
        total = utility(leaf).sum()
    if not total.requires_grad:
        raise ConfigError("the model's outputs have no gradient in its inputs; use a model of differentiable layers")
    return torch.autograd.grad(total, leaf)[0]


def ascend(utility: Utility, inputs: Tensor, *, epsilon: float, steps: int, norm: Norm) -> Tensor:
    """Climb the utility within the ball and within [0, 1], from the inputs themselves, by steps of equal length."""
    moved = inputs
    for _ in range(steps):
        ahead = moved + REACH * epsilon / steps * unit_rows(input_slope(utility, moved), norm)
        moved = bounded_inputs(inputs, ahead, epsilon=epsilon, norm=norm)
    return moved


def stretch(inputs: Tensor, moved: Tensor, *, epsilon: float, norm: Norm) -> Tensor:
    """Scale each example's perturbation to the norm `epsilon`, and clip to [0, 1]; what is not moved stays."""
    changes = moved - inputs
    sizes = row_sizes(changes, norm)
    return clip_to_pixels(inputs + changes * (epsilon / torch.where(sizes > 0, sizes, 1)))


def learner_loss(view: MinibatchView) -> Utility:
    """Return the learner's loss of each example under the model at the start of the round."""
    tensors = view.network.split(view.parameters.detach())

    def losses(inputs: Tensor) -> Tensor:
        return view.objective.losses(view.network.forward(tensors, inputs), Batch(inputs, view.batch.labels))

    return losses
