"""Gradients of a return in a policy's weights: exact ones, and Monte-Carlo estimates from episodes.

The estimate is E1 of the meta-Stackelberg game: the mean over episodes of Σ_t ∇ log π(a_t | s_t; θ) R_t. Two changes
leave its expectation as it is and lower its variance: R_t is the reward from t on instead of the whole return (what an
action cannot have caused is noise), and the mean R_t of the batch's other episodes is subtracted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vjp

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.learning.meta.episodes import Episodes
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.validation import check_at_least_one, check_shares

Baseline = Literal["none", "others"]


@dataclass(frozen=True)
class GradientSettings:
    """How a policy gradient is estimated."""

    episodes: int = 16
    """N_b, episodes of each estimate."""
    discount: float = 1.0
    """γ; the first reward counts in full."""
    baseline: Baseline = "others"
    """What is subtracted from rewards-to-go: the mean of the other episodes at the same step, or nothing."""

    def __post_init__(self) -> None:
        least = 2 if self.baseline == "others" else 1
        if self.episodes < least:
            raise ConfigError(
                f"gradient.episodes is {self.episodes}; use at least {least} with baseline={self.baseline!r}"
            )
        check_shares("gradient", discount=self.discount)


USUAL = GradientSettings()


class ReturnEstimate(NamedTuple):
    """What is known of a return J at some weights, either exactly or from a batch of episodes.

    Functions of the weights, in which the episodes are held fixed. They are used at the weights that played.
    """

    surrogates: Callable[[Vector], Tensor]
    """`[episodes]`; the gradient of the mean is ∇̂J, and its Hessian is the derivative of ∇̂J with the episodes fixed."""
    value: Tensor
    """The mean return, a scalar."""
    log_likelihoods: Callable[[Vector], Tensor] | None = None
    """`[episodes]`, up to a constant; None if nothing was drawn."""

    def mean(self, weights: Vector) -> Tensor:
        """Return the mean of the surrogates."""
        return self.surrogates(weights).mean()


def estimate_return(policy: GaussianPolicy, episodes: Episodes, settings: GradientSettings) -> ReturnEstimate:
    """Return the Monte-Carlo estimate of a player's return and its gradient."""
    seen, actions, rewards, played = (part.double() for part in episodes)
    to_go = rewards_to_go(rewards, settings.discount)
    # The objective is the discounted return, so what follows step t counts γ^t times.
    ahead = to_go * settings.discount ** torch.arange(to_go.shape[1], dtype=torch.float64)
    gains = ahead - others_mean(ahead) if settings.baseline == "others" else ahead

    def log_densities(weights: Vector) -> Tensor:
        return policy.log_density(weights, seen, actions.to(weights.dtype)) * played.to(weights.dtype)

    return ReturnEstimate(
        lambda weights: (log_densities(weights) * gains.to(weights.dtype)).sum(dim=1),
        to_go[:, 0].mean(),
        lambda weights: log_densities(weights).sum(dim=1),
    )


def exact_return(value: Callable[[Vector], Tensor], weights: Vector) -> ReturnEstimate:
    """Return a return that is a known function, as it is at some weights."""
    return ReturnEstimate(lambda at: value(at)[None], value(weights).detach())


def rewards_to_go(rewards: Tensor, discount: float) -> Tensor:
    """Return the discounted sum of the rewards from each step on, for `[episodes, steps]` rewards."""
    to_go, after = [], torch.zeros_like(rewards[:, 0])
    for reward in reversed(rewards.unbind(dim=1)):
        after = reward + discount * after
        to_go.append(after)
    return torch.stack(to_go[::-1], dim=1)


def others_mean(values: Tensor) -> Tensor:
    """Return for each of `[episodes, ...]` the mean over all other episodes."""
    check_at_least_one("baseline", **{"episodes - 1": len(values) - 1})
    return (values.sum(dim=0) - values) / (len(values) - 1)


def gradient(function: Callable[[Vector], Tensor], weights: Vector) -> Vector:
    """Return the gradient of a scalar function."""
    slope: Vector = grad(function)(weights)
    return slope


def hessian_product(function: Callable[[Vector], Tensor], weights: Vector, vector: Vector) -> Vector:
    """Return the product of a scalar function's Hessian with a vector, which takes two gradients and no Hessian."""
    pull_back = vjp(grad(function), weights)[1]
    product: Vector = pull_back(vector)[0]
    return product
