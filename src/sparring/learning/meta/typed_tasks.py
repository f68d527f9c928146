"""A game against one type of follower, as those who learn across types see it: returns at the weights of both."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sparring.arrays import Vector, briefly
from sparring.learning.meta.episodes import EpisodeSource
from sparring.learning.meta.policy_gradient import (
    USUAL,
    GradientSettings,
    ReturnEstimate,
    estimate_return,
    exact_return,
)
from sparring.random import Generator, stream


class TypedTask(Protocol):
    """A game against one type."""

    @property
    def weight(self) -> float:
        """The type's probability under the prior Q, up to a common factor."""

    @property
    def adaptive(self) -> bool:
        """Whether the follower learns; if not, its weights are not used."""

    def leader(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        """Return what is known of J_D(., φ) at θ."""

    def follower(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        """Return what is known of J_A(θ, .) at φ."""


Payoff = Callable[[Vector, Vector], Tensor]
"""A scalar function of θ and φ that can be differentiated."""


@dataclass(frozen=True)
class ExactTask:
    """A game whose payoffs are known functions: gradients are exact, and nothing is drawn."""

    payoff: Payoff
    """J_D(θ, φ)."""
    answer_payoff: Payoff | None = None
    """J_A(θ, φ); None is a follower that does not adapt."""
    weight: float = 1.0

    @property
    def adaptive(self) -> bool:
        return self.answer_payoff is not None

    def leader(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        return exact_return(lambda at: self.payoff(at, phi), theta)

    def follower(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        payoff = self.answer_payoff
        return exact_return(lambda at: at.new_zeros(()) if payoff is None else payoff(theta, at), phi)


@dataclass(frozen=True, eq=False)
class EpisodicTask:
    """A game that is known by the episodes that are played."""

    source: EpisodeSource
    settings: GradientSettings = USUAL
    weight: float = 1.0

    __repr__ = briefly

    @property
    def adaptive(self) -> bool:
        return len(self.source.policies) > 1

    def leader(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        return self._estimate(0, theta, phi, rng)

    def follower(self, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        return self._estimate(1, theta, phi, rng)

    @torch.no_grad()
    def _estimate(self, seat: int, theta: Vector, phi: Vector, rng: Generator) -> ReturnEstimate:
        """Return what a fresh batch of episodes says of a seat's return."""
        weights = (theta, phi) if self.adaptive else (theta,)
        episodes = self.source.sample(weights, episodes=self.settings.episodes, rng=rng)[seat]
        return estimate_return(self.source.policies[seat], episodes, self.settings)


def draw_types(weights: Sequence[float], drawn: int | None, *, iteration: int, seed: int) -> dict[int, float]:
    """Return the share of each type that is played in an iteration: of `drawn` draws from the prior; None plays all."""
    prior = [weight / sum(weights) for weight in weights]
    if drawn is None:
        return dict(enumerate(prior))
    places = stream(seed, "types", iteration).choice(len(prior), size=drawn, p=prior)
    return {place: count / drawn for place, count in Counter(places.tolist()).items()}
