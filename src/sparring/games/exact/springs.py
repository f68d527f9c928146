"""Springs: quadratic Stackelberg games whose solutions are formulas, one for each notion of a solution.

A leader chooses θ, and a follower of a hidden type answers with φ. Against one type

    J_D(θ, φ) = -½ a (θ - b)² + ρ θ φ + ½ κ φ²,    J_A = -J_D,

so that the best answer is φ*(θ) = -(ρ/κ) θ, and the leader then has -½ a (θ - b)² - ½ s θ² with the follower's strength
s = ρ²/κ. The leader adapts to a type before it is answered: θ' = θ + η ∂J_D/∂θ. Types with different stiffness a pull
apart the points at which learners end, so that one learner cannot be mistaken for another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.validation import check_at_least_one, check_positive

NODES = 8
"""Points of the Gauss-Hermite rule in each dimension: exact for polynomials of degree 15."""


@dataclass(frozen=True, kw_only=True)
class Spring:
    """One type of follower. Strategies may have several numbers, each of which plays this game; payoffs add up."""

    stiffness: float
    """a: how steeply the leader loses by its distance from the rest position."""
    rest: float
    """b: what the leader would choose if there were no follower."""
    coupling: float = 0.0
    """ρ: how a follower's strategy tilts the leader's payoff; 0 is a follower that does not adapt."""
    curvature: float = 1.0
    """κ: what a follower's strategy costs it."""
    weight: float = 1.0
    """The type's share in the prior, up to a common factor."""

    def __post_init__(self) -> None:
        check_positive("spring", stiffness=self.stiffness, curvature=self.curvature, weight=self.weight)

    @property
    def strength(self) -> float:
        """s = ρ²/κ, by how much the follower's answers stiffen the spring towards 0."""
        return self.coupling**2 / self.curvature

    @property
    def adaptive(self) -> bool:
        """Whether the follower has anything to answer."""
        return self.coupling != 0

    def leader(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_D, a scalar that can be differentiated; without coupling φ does not matter."""
        alone = -self.stiffness / 2 * (theta - self.rest).square().sum()
        if not self.adaptive:
            return alone
        return alone + (self.coupling * theta * phi + self.curvature / 2 * phi.square()).sum()

    def follower(self, theta: Vector, phi: Vector) -> Tensor:
        """Return J_A = -J_D."""
        return -self.leader(theta, phi)

    def answer(self, theta: Vector) -> Vector:
        """Return the follower's best answer."""
        return -self.coupling / self.curvature * theta

    def adapted(self, theta: Vector, step: float) -> Vector:
        """Return the θ' that is one step of adaptation from θ, where the follower's strategy is the answer to θ'."""
        moved = (1 - step * self.stiffness) * theta + step * self.stiffness * self.rest
        return moved / (1 + step * self.strength)


@dataclass(frozen=True)
class Springs:
    """A Bayesian Stackelberg game against several types, and the points at which different learners end."""

    types: tuple[Spring, ...]

    def __post_init__(self) -> None:
        check_at_least_one("springs", types=len(self.types))

    def bayesian(self) -> float:
        """Return the leader's strategy in the Bayesian Stackelberg equilibrium, without adaptation."""
        return self._balance(lambda each: 1.0)

    def meta(self, step: float) -> float:
        """Return the leader's strategy in the meta-Stackelberg equilibrium, with one step of adaptation.

        The follower answers the adapted leader and does not try to mislead the adaptation.
        """
        return self._balance(lambda each: (1 - step * each.stiffness) ** 2 / (1 + step * each.strength))

    def first_order(self, step: float) -> float:
        """Return where the gradient at the adapted leader vanishes on average, which is no equilibrium."""
        return self._balance(lambda each: (1 - step * each.stiffness) / (1 + step * each.strength))

    def reptile(self, step: float, steps: int) -> float:
        """Return where `steps` steps of adaptation move the leader nowhere on average; one step is `bayesian`."""
        return self._balance(lambda each: _moved(each, step, steps))

    def value(self, theta: Vector, step: float) -> float:
        """Return the leader's mean payoff after adaptation, which answered followers leave to it."""
        total = sum(each.weight for each in self.types)
        reached = [each.adapted(theta, step) for each in self.types]
        payoffs = [
            each.weight * each.leader(end, each.answer(end)) for each, end in zip(self.types, reached, strict=True)
        ]
        return float(sum(payoffs)) / total

    def _balance(self, share: Callable[[Spring], float]) -> float:
        """Return the point at which the types' forces a b - (a + s) θ, each with a share, add up to 0."""
        shares = [each.weight * share(each) for each in self.types]
        pulls = sum(part * each.stiffness * each.rest for part, each in zip(shares, self.types, strict=True))
        return pulls / sum(
            part * (each.stiffness + each.strength) for part, each in zip(shares, self.types, strict=True)
        )


def _moved(spring: Spring, step: float, steps: int) -> float:
    """Return the share of the way to the own optimum that a number of steps covers, in units of the stiffness."""
    share = 1 - (1 - step * spring.stiffness) ** steps
    return share / (spring.stiffness + share * spring.strength)


@dataclass(frozen=True, kw_only=True)
class NoisySpring:
    """A spring that is pulled several times, with noise, by players that see nothing.

    The leader's pulls are θ plus noise, and the position is the pull plus what is carried over from the last position.
    In each step the spring's payoff at the position is the reward. The return is the sum of rewards.
    """

    spring: Spring
    deviation: float
    """σ, of the noise of each pull and answer."""
    steps: int = 1
    carry: float = 0.0
    """The share of a position in the next one."""

    def __post_init__(self) -> None:
        check_at_least_one("noisy_spring", steps=self.steps)
        check_positive("noisy_spring", deviation=self.deviation)

    def rewards(self, pulls: Tensor, answers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the leader's and the follower's rewards, `[episodes, steps]`, for `[episodes, steps, 1]` actions."""
        position, positions = torch.zeros_like(pulls[:, 0]), []
        for pull in pulls.unbind(dim=1):
            position = self.carry * position + pull
            positions.append(position)
        gone = torch.cat(positions, dim=-1)
        rewards = -self.spring.stiffness / 2 * (gone - self.spring.rest).square()
        if answers is not None:
            replies = answers.squeeze(-1)
            rewards = rewards + self.spring.coupling * gone * replies + self.spring.curvature / 2 * replies.square()
        return rewards, -rewards

    def value(self, theta: Tensor) -> Tensor:
        """Return the expected return J(θ) against a follower that does nothing."""
        reach, spread = self._reach()
        mean = reach[:, None] * theta - self.spring.rest
        return -self.spring.stiffness / 2 * (mean.square() + self.deviation**2 * spread[:, None]).sum()

    def adapted_value(self, theta: Tensor, *, step: float, episodes: int) -> Tensor:
        """Return V(θ) = E J(θ + η ĝ), where ĝ is the policy gradient of a batch of episodes, with rewards-to-go.

        J is quadratic, so V depends on ĝ by its mean and variance only. These are integrals of polynomials in the
        noise, for which the quadrature is exact. V can be differentiated. Only for a follower that does not adapt.
        """
        if self.spring.adaptive:
            raise ConfigError(f"noisy_spring.coupling is {self.spring.coupling}; the value is known for 0 only")
        noise, weights = _hermite(self.steps)
        rewards, _ = self.rewards((theta + self.deviation * noise)[..., None])
        to_go = rewards.flip(dims=(1,)).cumsum(dim=1).flip(dims=(1,))
        slopes = (noise / self.deviation * to_go).sum(dim=1)
        mean = weights @ slopes
        variance = weights @ (slopes - mean).square()
        bend = self.spring.stiffness * self._reach()[0].square().sum()
        return self.value(theta + step * mean) - bend / 2 * step**2 * variance / episodes

    def _reach(self) -> tuple[Tensor, Tensor]:
        """Return by which factor each position's mean is θ, and its variance σ²."""
        powers = self.carry ** torch.arange(self.steps, dtype=torch.float64)
        return powers.cumsum(dim=0), powers.square().cumsum(dim=0)


def _hermite(dimensions: int) -> tuple[Tensor, Tensor]:
    """Return the points `[points, dimensions]` and weights of a quadrature over independent standard normal numbers."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.array(list(product(nodes, repeat=dimensions)))
    masses = np.array(list(product(weights / weights.sum(), repeat=dimensions))).prod(axis=1)
    return torch.from_numpy(grid), torch.from_numpy(masses)
