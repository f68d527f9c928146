r"""The 1-Wasserstein distance between two samples by a critic with a gradient penalty (Gulrajani et al., 2017).

$$W_1(P, Q) = \max_{\lVert f \rVert_L \le 1} \mathbb{E}_P f - \mathbb{E}_Q f$$

AMPO (Shen et al., 2020) makes the features of imagined steps like those of real ones by descending this distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.errors import ConfigError
from sparring.generation.fitting import Minimization, Tensors
from sparring.learning.actor_critic.updates import Layers, draw_layers, forward, split_layers
from sparring.random import Generator
from sparring.validation import check_at_least_one, check_positive


@dataclass(frozen=True)
class CriticSettings:
    """A critic and how it learns."""

    hidden: tuple[int, ...] = (64, 64)
    penalty: float = 10.0
    """The weight of the squared excess of the slope over 1."""
    updates: int = 2000
    """The distance is that of a critic that has converged."""
    batch: int = 256
    lr: float = 1e-3

    def __post_init__(self) -> None:
        check_at_least_one("critic", updates=self.updates, batch=self.batch)
        check_positive("critic", penalty=self.penalty, lr=self.lr)


USUAL = CriticSettings()


def wasserstein_critic(first: Matrix, second: Matrix, *, rng: Generator, how: CriticSettings = USUAL) -> Layers:
    """Return the critic of two samples `[rows, features]`, which is high on the first."""
    check_samples(first, second)
    widths = (first.shape[1], *how.hidden, 1)
    descent = Minimization({"weights": draw_layers(widths, rng)}, lr=how.lr, betas=(0.5, 0.9))

    def loss(tensors: Tensors, one: Tensor, other: Tensor, shares: Tensor) -> Tensor:
        critic = split_layers(tensors["weights"], [widths])[0]
        return critic_gap(critic, other, one) + how.penalty * slope_penalty(critic, other.lerp(one, shares))

    for _ in range(how.updates):
        rows = [torch.from_numpy(rng.integers(len(each), size=how.batch)) for each in (first, second)]
        shares = torch.from_numpy(rng.random((how.batch, 1))).to(first)
        descent.step(loss, first[rows[0]], second[rows[1]], shares)
    return split_layers(descent.result()["weights"], [widths])[0]


def critic_gap(critic: Layers, first: Matrix, second: Matrix) -> Tensor:
    """Return the mean of a critic on one sample minus that on another: the distance, if the critic has converged."""
    return forward(critic, first).mean() - forward(critic, second).mean()


def slope_penalty(critic: Layers, between: Matrix) -> Tensor:
    """Return the mean square of the slope's norm minus 1, at points between the samples."""
    points = between.detach().requires_grad_()
    slopes: Vector = torch.autograd.grad(forward(critic, points).sum(), points, create_graph=True)[0]
    found: Tensor = (slopes.norm(dim=1) - 1).square().mean()
    return found


def check_samples(first: Matrix, second: Matrix) -> None:
    """Reject samples that cannot be compared."""
    shapes: Sequence[list[int]] = [list(each.shape) for each in (first, second)]
    if first.ndim != 2 or second.ndim != 2 or first.shape[1:] != second.shape[1:] or not len(first) or not len(second):
        raise ConfigError(f"critic: samples of shapes {shapes}; both must be [rows, features], with rows")
