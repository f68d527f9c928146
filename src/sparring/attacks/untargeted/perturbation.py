"""The search direction of min-max and min-sum: a perturbation of the benign mean (Shejwalkar & Houmansadr, 2021).

The crafted update is m + γ p, with the benign mean m. Its distances to the benign updates b are closed-form in γ:
|m + γ p - b|² = |m - b|² + 2 γ <m - b, p> + γ² |p|². So the largest γ is a formula and needs no search.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sparring.arrays import Matrix, Vector, column_blocks
from sparring.attacks.untargeted.observed_updates import moments
from sparring.errors import ConfigError
from sparring.validation import check_matrix

Direction = Literal["unit", "sign", "std"]

TINY = 1e-300
"""Lower bound of a divisor, so that a zero mean stays zero."""

PERTURBATIONS: Mapping[Direction, Callable[[Tensor, Tensor], Tensor]] = {
    "unit": lambda mean, deviation: -normalize(mean, dim=0, eps=TINY),
    "sign": lambda mean, deviation: -mean.sign(),
    "std": lambda mean, deviation: -deviation,
}
"""The paper's perturbations: the inverse unit vector, the inverse sign and the inverse standard deviation."""


def check_direction(attack: str, direction: str) -> None:
    """Reject an unknown perturbation."""
    if direction not in PERTURBATIONS:
        raise ConfigError(f"{attack}.direction is {direction!r}; it must be one of: {', '.join(PERTURBATIONS)}")


class Ray(NamedTuple):
    """The updates m + γ p for γ >= 0, and the float64 statistics for their distances to the benign updates b."""

    mean: Tensor
    perturbation: Tensor
    square: float
    """|p|²."""
    squares: Tensor
    """The |m - b|²."""
    slopes: Tensor
    """The <m - b, p>."""

    def at(self, step: float) -> Vector:
        """Return m + γ p for γ = `step`; values that overflow float32 become its largest number."""
        return (self.mean + step * self.perturbation).float().nan_to_num_()


def ray(benign: Matrix, direction: Direction) -> Ray:
    """Compute the statistics of the benign updates along a perturbation of their mean."""
    benign = check_matrix("ray", benign, name="benign")
    mean, deviation = moments(benign)
    perturbation = PERTURBATIONS[direction](mean, deviation)
    squares, slopes = benign.new_zeros(2, len(benign), dtype=torch.float64)
    for columns in column_blocks(benign):
        offsets = mean[columns] - benign[:, columns].double()
        slopes += offsets @ perturbation[columns]
        squares += offsets.square_().sum(dim=1)
    return Ray(mean, perturbation, float(perturbation @ perturbation), squares, slopes)
