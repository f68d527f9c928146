"""How far a leader and its followers are from a first-order meta-Stackelberg equilibrium."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from sparring.arrays import Vector
from sparring.learning.meta.adaptation import Ascent, adapt_leader
from sparring.learning.meta.directions import debiased
from sparring.learning.meta.policy_gradient import gradient
from sparring.learning.meta.typed_tasks import TypedTask
from sparring.random import Generator


class Residual(NamedTuple):
    """The smallest ε for which a pair is an ε-meta-FOSE is the larger of both numbers."""

    leader: float
    """The norm of the leader's gradient in expectation over types."""
    followers: float
    """The largest norm of a follower's gradient, of all types."""
    by_type: tuple[Vector, ...]
    """The leader's gradient against each type. They need not vanish: an equilibrium balances the types."""


class _Slopes(NamedTuple):
    """The gradients of both players against one type, means over batches."""

    leader: Vector
    follower: Vector


def meta_residual(
    tasks: Sequence[TypedTask],
    leader: Vector,
    followers: Sequence[Vector],
    *,
    ascent: Ascent,
    rng: Generator,
    batches: int = 1,
) -> Residual:
    """Return the residual of definition 3.1, read in expectation over types for the leader.

    As printed, the definition wants the leader's gradient to vanish against every type, which no θ can do if the best θ
    differs. Gradients are means over `batches`; noise in them adds to the norms.
    """
    slopes = [
        _slopes(task, leader, phi, ascent=ascent, rng=rng, batches=batches)
        for task, phi in zip(tasks, followers, strict=True)
    ]
    shares = torch.tensor([task.weight for task in tasks], dtype=torch.float64)
    mean = (shares / shares.sum()) @ torch.stack([each.leader.double() for each in slopes])
    return Residual(
        float(mean.norm()),
        max(float(each.follower.norm()) for each in slopes),
        tuple(each.leader for each in slopes),
    )


def _slopes(task: TypedTask, leader: Vector, phi: Vector, *, ascent: Ascent, rng: Generator, batches: int) -> _Slopes:
    drawn, baseline = [], 0.0
    for _ in range(batches):
        adapted = adapt_leader(task, leader, phi, ascent, rng)
        reached = task.leader(adapted.end, phi, rng)
        answer = gradient(task.follower(adapted.end, phi, rng).mean, phi) if task.adaptive else torch.zeros_like(phi)
        drawn.append(_Slopes(debiased(adapted, reached, baseline), answer))
        baseline = float(reached.value)  # of this batch for the next one, since it must not know the batch's episodes
    return _Slopes(*(torch.stack(each).mean(dim=0) for each in zip(*drawn, strict=True)))
