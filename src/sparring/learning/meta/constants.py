"""The constants of a game with known payoffs, measured between points of a domain."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from sparring.arrays import Matrix, Vector
from sparring.errors import ConfigError
from sparring.learning.meta.adaptation import Ascent, adapt_leader, answer_leader
from sparring.learning.meta.directions import debiased
from sparring.learning.meta.policy_gradient import gradient
from sparring.learning.meta.schedules import GameConstants
from sparring.learning.meta.typed_tasks import ExactTask, Payoff
from sparring.random import stream

ROUNDS = 10
"""Alternations of adaptation and answer after which followers count as having answered."""
Slope = Callable[[Vector, Vector], Vector]
"""A gradient as a function of θ and φ."""


def measure_constants(
    tasks: Sequence[ExactTask],
    leaders: Matrix,
    followers: Matrix,
    *,
    ascent: Ascent,
    answer: Ascent,
    noise: float = 0.0,
) -> GameConstants:
    """Return the constants between the `[points, numbers]` strategies; the first leader is the start.

    All followers must adapt. Too few points give constants that are too small, except in quadratic games of one number,
    where any two give them exactly. `noise` is σ, which known payoffs do not have.
    """
    points = list(zip(leaders, followers, strict=True))
    climbs, tilts, answers = ([rule(task, ascent) for task in tasks] for rule in (_climb, _tilt, _answer))
    bends = [each for slope in answers for each in _by_phi(slope, points)]
    reached = [_value(tasks, theta, followers[0], ascent=ascent, answer=answer) for theta in leaders]
    return GameConstants(
        leader_smoothness=max(each for slope in climbs for each in _by_theta(slope, points)),
        cross_smoothness=max(
            [each for slope in climbs for each in _by_phi(slope, points)]
            + [each for slope in tilts for each in _by_theta(slope, points)]
        ),
        answer_smoothness=max(bends + [each for slope in answers for each in _by_theta(slope, points)]),
        tilt_smoothness=max(each for slope in tilts for each in _by_phi(slope, points)),
        curvature=min(bends),
        gradient=max(float(slope(*point).norm()) for slope in climbs + answers for point in points),
        noise=noise,
        diameter=float(torch.pdist(leaders).max()),
        gap=max(value for value, _ in reached) - reached[0][0],
        slope=max(climb for _, climb in reached),
    )


def _climb(task: ExactTask, ascent: Ascent) -> Slope:
    """Return the gradient of L_D in θ."""

    def slope(theta: Vector, phi: Vector) -> Vector:
        rng = stream(0, "unused")
        adapted = adapt_leader(task, theta, phi, ascent, rng)
        return debiased(adapted, task.leader(adapted.end, phi, rng), 0.0)

    return slope


def _tilt(task: ExactTask, ascent: Ascent) -> Slope:
    """Return the gradient of L_D in φ."""
    return _facing(task, task.payoff, ascent)


def _answer(task: ExactTask, ascent: Ascent) -> Slope:
    """Return the gradient of L_A in φ."""
    if task.answer_payoff is None:
        raise ConfigError("constants: a follower does not adapt, and so has no curvature; leave its task out")
    return _facing(task, task.answer_payoff, ascent)


def _facing(task: ExactTask, payoff: Payoff, ascent: Ascent) -> Slope:
    """Return a payoff's gradient in φ: a follower faces a leader that has adapted to a φ of 0, and stays there."""

    def slope(theta: Vector, phi: Vector) -> Vector:
        adapted = adapt_leader(task, theta, torch.zeros_like(phi), ascent, stream(0, "unused"))
        return gradient(lambda at: payoff(adapted.end, at), phi)

    return slope


def _by_theta(slope: Slope, points: Sequence[tuple[Vector, Vector]]) -> list[float]:
    """Return how steeply a gradient changes with θ, from each point to the next."""
    return [
        float((slope(theta, phi) - slope(other, phi)).norm() / (theta - other).norm())
        for (theta, phi), (other, _) in pairwise(points)
    ]


def _by_phi(slope: Slope, points: Sequence[tuple[Vector, Vector]]) -> list[float]:
    """Return how steeply a gradient changes with φ, from each point to the next."""
    return _by_theta(lambda phi, theta: slope(theta, phi), [(phi, theta) for theta, phi in points])


def _value(
    tasks: Sequence[ExactTask], theta: Vector, phi: Vector, *, ascent: Ascent, answer: Ascent
) -> tuple[float, float]:
    """Return V(θ), where followers have answered, and the norm of its gradient."""
    rng, total, value, climb = stream(0, "unused"), sum(task.weight for task in tasks), 0.0, torch.zeros_like(theta)
    for task in tasks:
        reply = phi
        for _ in range(ROUNDS):
            reply = answer_leader(task, adapt_leader(task, theta, reply, ascent, rng).end, reply, answer, rng)
        end = adapt_leader(task, theta, reply, ascent, rng).end
        value += task.weight / total * float(task.payoff(end, reply))
        climb = climb + task.weight / total * _climb(task, ascent)(theta, reply)
    return value, float(climb.norm())
