"""Types like springs that are slow to learn, or that break an assumption of meta-Stackelberg learning.

Each has a scalar strategy; several numbers play the game each for itself, and payoffs add up.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.games.exact.springs import Spring
from sparring.validation import check_positive

NEWTON = 40
"""Newton steps to a follower's answer; they decrease to the root, the last ones quadratically."""


class FollowerType(Protocol):
    """A type whose best answer is known."""

    @property
    def weight(self) -> float:
        """The type's share in the prior, up to a common factor."""

    def leader(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_D, a scalar that can be differentiated."""

    def follower(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_A."""

    def answer(self, theta: Vector) -> Vector:
        """Return the follower's best answer."""


@dataclass(frozen=True, kw_only=True)
class Incline:
    """A leader's payoff whose slope is |θ|^(p-1) where followers have answered, up to a factor; it lasts to climb it.

    p > 2 is a flat top at 0. p < 0 is a payoff that rises for ever, and is for θ > 0 only. From θ = 1, gradient ascent
    needs of the order of ε^-(p-2)/(p-1) steps to where the slope is ε.
    """

    power: float
    """p."""
    steepness: float = 1.0
    coupling: float = 0.3
    """ρ."""
    curvature: float = 1.0
    """κ."""
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_positive("incline", steepness=self.steepness, curvature=self.curvature, weight=self.weight)
        if 0 <= self.power < 2:
            raise ConfigError(f"incline.power is {self.power}; use at least 2, or less than 0")

    @property
    def exponent(self) -> float:
        """By which power of 1/ε the number of steps grows; 0 is the logarithm."""
        return (self.power - 2) / (self.power - 1)

    def leader(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_D, in which half the follower's strength times θ² makes up for what the answer costs."""
        climb = -abs(self.steepness / self.power) * theta.abs() ** self.power
        made_up = self.coupling**2 / self.curvature / 2 * theta.square()
        return (climb + made_up + self.coupling * theta * phi + self.curvature / 2 * phi.square()).sum()

    def follower(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_A = -J_D."""
        return -self.leader(theta, phi)

    def answer(self, theta: Vector) -> Vector:
        """Return the follower's best answer."""
        return -self.coupling / self.curvature * theta


@dataclass(frozen=True)
class SelfishSpring:
    """A spring whose follower also has a goal g of its own, so that the game is not strictly competitive (F.3).

    J_A = -J_D + κ g φ, so that the best answer is g - (ρ/κ) θ, at which J_D still depends on φ.
    """

    spring: Spring
    goal: float = 1.0
    """g."""

    @property
    def weight(self) -> float:
        return self.spring.weight

    def leader(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_D, that of the spring."""
        return self.spring.leader(theta, phi)

    def follower(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_A."""
        return self.spring.curvature * self.goal * phi.sum() - self.leader(theta, phi)

    def answer(self, theta: Vector) -> Vector:
        """Return the follower's best answer."""
        return self.goal + self.spring.answer(theta)


@dataclass(frozen=True)
class TwoWells:
    """A spring whose follower has two local optima, so that the Polyak-Łojasiewicz condition (3.2) fails.

    J_A = -(payoff of the leader alone) - ρθφ + ½ φ² - ¼ φ⁴ = -J_D. A follower that learns from near one optimum stays
    there, though the other is better as soon as ρθφ > 0.
    """

    spring: Spring

    @property
    def weight(self) -> float:
        return self.spring.weight

    def leader(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_D."""
        alone = -self.spring.stiffness / 2 * (theta - self.spring.rest).square()
        return (alone + self.spring.coupling * theta * phi - phi.square() / 2 + phi**4 / 4).sum()

    def follower(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_A."""
        return -self.leader(theta, phi)

    def answer(self, theta: Vector) -> Vector:
        """Return the better of both optima: the largest root of |φ|³ - |φ| = |ρθ|, with the sign of -ρθ."""
        pull = self.spring.coupling * theta
        size = 1 + pull.abs()
        for _ in range(NEWTON):
            size = size - (size**3 - size - pull.abs()) / (3 * size.square() - 1)
        return torch.where(pull > 0, -size, size)
