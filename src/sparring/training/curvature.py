"""Curvature of a summed loss: products with its Hessian, and linear systems of it by conjugate gradients."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from sparring.arrays import Batch, Vector, briefly
from sparring.contracts import Network, Objective
from sparring.training.gradients import summed_slope


def hessian_product(
    network: Network, parameters: Vector, *, batch: Batch, direction: Vector, objective: Objective
) -> Vector:
    """Return Hv, where H is the Hessian of the batch's summed loss in the parameters and v the `direction`.

    The examples are taken in chunks that are added in order.
    """
    return summed_slope(network, parameters, batch=batch, objective=objective, along=direction.detach())


class LinearSolution(NamedTuple):
    """An approximate solution of a linear system."""

    solution: Vector
    residual: float
    """The norm of what is left of the right side, relative to the right side."""
    products: int
    """How many products with the matrix were taken."""
    negative_curvature: bool
    """Whether a direction was met along which the damped matrix is not positive; the search then ended there."""

    def __repr__(self) -> str:
        return briefly(self)


def conjugate_gradients(
    product: Callable[[Vector], Vector],
    right: Vector,
    *,
    damping: float = 0.0,
    iterations: int = 30,
    tolerance: float = 1e-6,
) -> LinearSolution:
    """Solve (H + λ)w = g for w, where `product` multiplies by H, λ is the `damping` and g is `right`.

    It ends when the relative residual is at most `tolerance`, after `iterations`, or where the curvature is not
    positive: the solution so far is returned then, and g itself if that happens at once.
    """
    solution, left = torch.zeros_like(right), right.clone()
    along, size = left, _squared(left)
    whole, products, is_negative = size, 0, False
    while products < iterations and size > tolerance**2 * whole:
        image = product(along) + damping * along
        products += 1
        curvature = torch.dot(along.double(), image.double()).item()
        if not curvature > 0:
            solution, is_negative = (right.clone() if products == 1 else solution), True
            break
        length = size / curvature
        solution = solution + length * along
        left = left - length * image
        former, size = size, _squared(left)
        along = left + (size / former) * along
    return LinearSolution(solution, (size / whole) ** 0.5 if whole else 0.0, products, is_negative)


def _squared(vector: Vector) -> float:
    return torch.dot(vector.double(), vector.double()).item()
