"""Local model poisoning against root-based rules (Cao et al., 2021, the adaptive attack on FLTrust).

FLTrust sums unit vectors e, each weighted by its trust ReLU(<e, r>) in the unit root update r, divides by the sum of
the trusts and gives the result the norm of the root update. The attack optimizes one crafted e after another by
zeroth-order ascent on sᵀ(g - g'), where s is the sign of the benign updates' aggregate g, and g' the aggregate of all.

The objective depends on a crafted e only through <e, r> and <e, s>, and the ascent's probes are Gaussian. So the walk
is simulated, exactly in distribution, in four coordinates: three in the span of r, s and the first e, and the length
of the component outside, whose direction is uniform and is drawn once at the end.
"""

from dataclasses import dataclass
from functools import reduce
from math import hypot, sqrt
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, row_norms
from sparring.attacks.untargeted.observed_updates import products
from sparring.random import Generator
from sparring.validation import check_matrix, check_vector

SPAN = 3
"""Coordinates in the span of r, s and the first e; one more holds the length of the component outside."""
TINY = 1e-300
"""Lower bound of a divisor, so that a zero vector stays zero."""

Point = NDArray[np.float64]
LambdaChoice = Literal["last", "best"]
"""Which point of a walk is used: the last, or the most harmful one seen."""


@dataclass(frozen=True)
class TrustAscent:
    """The settings of the ascent, as published: Q sweeps over the crafted updates with V steps for each."""

    sweeps: int = 10
    steps: int = 10
    variance: float = 0.5
    """Variance of a probe's coordinates, σ²."""
    smoothing: float = 0.005
    """Distance along a probe at which the objective is evaluated, γ."""
    rate: float = 0.01
    """The step size, η."""
    lambda_choice: LambdaChoice = "last"


PUBLISHED = TrustAscent()


class Direction(NamedTuple):
    """One crafted e in its four coordinates."""

    point: Point
    axes: Point
    """`[4, 2]`: the coordinates of r and s."""

    def offset(self, step: Point) -> "Direction":
        return self._replace(point=self.point + step)


class Aggregate(NamedTuple):
    """The statistics of trust-weighted unit updates that the objective depends on."""

    along: float
    """Inner product of the weighted sum with s."""
    trust: float
    norm: float
    """Norm of the root update."""

    def add(self, e: Direction) -> "Aggregate":
        """Add one more update."""
        towards_root, along = e.point @ e.axes
        trust = max(0.0, towards_root)
        return self._replace(along=self.along + trust * along, trust=self.trust + trust)

    @property
    def harm(self) -> float:
        """The objective sᵀ(-g'), as sᵀg is constant; zero if no update is trusted."""
        return -self.norm * self.along / self.trust if self.trust > 0 else 0.0


def most_harmful(
    start: Matrix, *, benign: Matrix, root: Vector, rng: Generator, ascent: TrustAscent = PUBLISHED
) -> Matrix:
    """Rotate the rows of `start` to where they harm FLTrust most, and give them the norm of the root update.

    A zero root update gives no update any trust; the rows are then zero too.
    """
    benign = check_matrix("most_harmful", benign, name="benign")
    start = check_matrix("most_harmful", start, name="start")
    root = check_vector("most_harmful", root, of=benign, name="root")
    r, norm = _unit(root)
    benign_sum, trust = _trusted_sum(benign, r)
    s = benign_sum.sign()
    benign_part = Aggregate(float(benign_sum.abs().sum()), trust, norm)
    crafted = [_frame(row, r, s=s)[1] for row in start]
    for moving in [*range(len(crafted))] * ascent.sweeps:
        others = reduce(Aggregate.add, crafted[:moving] + crafted[moving + 1 :], benign_part)
        crafted[moving] = climb(crafted[moving], others, dimensions=len(root), ascent=ascent, rng=rng)
    bases = (_frame(row, r, s=s)[0] for row in start)
    rows = [(norm * _embed(e.point, basis, rng=rng)).float() for e, basis in zip(crafted, bases, strict=True)]
    return torch.stack(rows).nan_to_num_()


def climb(e: Direction, others: Aggregate, *, dimensions: int, ascent: TrustAscent, rng: Generator) -> Direction:
    """Walk `ascent.steps` steps and return the last direction, as published, or the best one seen, including the start.

    A step is not checked for improvement and may lower the objective; with the best point it never decreases.
    """
    walk = [e]
    for _ in range(ascent.steps):
        walk.append(_step(walk[-1], others, dimensions=dimensions, ascent=ascent, rng=rng))
    return walk[-1] if ascent.lambda_choice == "last" else max(walk, key=lambda seen: others.add(seen).harm)


def _step(e: Direction, others: Aggregate, *, dimensions: int, ascent: TrustAscent, rng: Generator) -> Direction:
    """Move along a random probe in proportion to the slope along it, and project back to the unit sphere."""
    existing = np.arange(SPAN + 1) < dimensions  # a tiny model has fewer coordinates
    probe = existing * rng.normal(0, sqrt(ascent.variance), SPAN + 1)
    # Outside the span the probe has one coordinate along e's component, and a χ-distributed length across it.
    across = sqrt(2 * ascent.variance * rng.standard_gamma(max(0, dimensions - SPAN - 1) / 2))
    rise = others.add(e.offset(ascent.smoothing * probe)).harm - others.add(e).harm
    stride = ascent.rate * rise / ascent.smoothing
    moved = e.point + stride * probe
    moved[SPAN] = hypot(moved[SPAN], stride * across)
    return e._replace(point=moved / max(float(np.linalg.norm(moved)), TINY))


def _unit(vector: Vector) -> tuple[Tensor, float]:
    """Return the vector's direction in float64 and its norm."""
    norm = float(torch.linalg.vector_norm(vector.double()))
    return vector.double() / max(norm, TINY), norm


def _trusted_sum(updates: Matrix, r: Tensor) -> tuple[Tensor, float]:
    """Return the trust-weighted sum of the unit updates, and the sum of the trusts."""
    norms = row_norms(updates).clamp_(min=TINY)
    trusts = (products(updates, r[None])[:, 0] / norms).clamp_(min=0)
    weights = trusts / norms
    total = torch.cat([weights @ updates[:, columns].double() for columns in column_blocks(updates)])
    return total, float(trusts.sum())


def _frame(row: Vector, r: Tensor, *, s: Tensor) -> tuple[Tensor, Direction]:
    """Return an orthonormal basis of the span of r, s and the row, and the row's direction in it."""
    e, _ = _unit(row)
    basis, triangle = torch.linalg.qr(torch.stack([r, s, e], dim=1))
    coordinates = np.zeros((SPAN + 1, 3))
    coordinates[: len(triangle)] = triangle.numpy(force=True)
    return basis, Direction(point=coordinates[:, 2], axes=coordinates[:, :2])


def _embed(point: Point, basis: Tensor, *, rng: Generator) -> Tensor:
    """Return the vector with these coordinates, after drawing the direction of the component outside the span."""
    noise = torch.from_numpy(rng.standard_normal(len(basis))).to(basis.device)
    outside, _ = _unit(noise - basis @ (basis.T @ noise))
    inside: Tensor = basis @ torch.from_numpy(point[: basis.shape[1]]).to(basis.device)
    return inside + float(point[SPAN]) * outside
