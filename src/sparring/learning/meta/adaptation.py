"""A few gradient steps of one player towards a type: of the leader that adapts, and of the follower that answers."""

from dataclasses import dataclass
from typing import NamedTuple

from sparring.arrays import Vector
from sparring.errors import ConfigError
from sparring.learning.meta.policy_gradient import ReturnEstimate, gradient
from sparring.learning.meta.typed_tasks import TypedTask
from sparring.random import Generator
from sparring.validation import check_positive


@dataclass(frozen=True)
class Ascent:
    """Gradient steps of equal size. No steps are a player that stays where it is."""

    step: float = 0.1
    steps: int = 1

    def __post_init__(self) -> None:
        check_positive("ascent", step=self.step)
        if self.steps < 0:
            raise ConfigError(f"ascent.steps is {self.steps}; it must be at least 0")


class AdaptedLeader(NamedTuple):
    """The way of a leader's adaptation to a type, as far as a gradient through it needs it."""

    path: tuple[Vector, ...]
    """θ, the weights after each step, and last the adapted θ'."""
    estimates: tuple[ReturnEstimate, ...]
    """What each step was taken by."""
    step: float
    """η."""

    @property
    def start(self) -> Vector:
        """θ."""
        return self.path[0]

    @property
    def end(self) -> Vector:
        """θ'."""
        return self.path[-1]


def adapt_leader(task: TypedTask, theta: Vector, phi: Vector, ascent: Ascent, rng: Generator) -> AdaptedLeader:
    """Adapt the leader to a type whose follower stays as it is: θ ← θ + η ∇̂J_D(θ, φ), each time in fresh episodes."""
    path, estimates = [theta], []
    for _ in range(ascent.steps):
        estimates.append(task.leader(path[-1], phi, rng))
        path.append(path[-1] + ascent.step * gradient(estimates[-1].mean, path[-1]))
    return AdaptedLeader(tuple(path), tuple(estimates), ascent.step)


def answer_leader(task: TypedTask, theta: Vector, phi: Vector, ascent: Ascent, rng: Generator) -> Vector:
    """Return the follower's weights after its answer to a leader: φ ← φ + κ_A ∇̂J_A(θ, φ), in fresh episodes."""
    for _ in range(ascent.steps if task.adaptive else 0):
        phi = phi + ascent.step * gradient(task.follower(theta, phi, rng).mean, phi)
    return phi
