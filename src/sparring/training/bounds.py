"""Bounds of perturbations: unit directions and balls, per example, in the Euclidean or the maximum norm."""

from typing import Literal, get_args

import torch
from torch import Tensor

from sparring.errors import ConfigError

Norm = Literal["l2", "linf"]
"""The norm of one example's perturbation: Euclidean over all its values, or the largest magnitude."""

SMALL, LARGE = 1e-15, 1e15
"""Lengths between which the squares of a row's values neither vanish nor overflow."""
ROUNDING = 1e-5
"""The relative error that a norm in single precision stays below."""


def check_norm(player: str, norm: object) -> None:
    """Reject any other norm."""
    if norm not in get_args(Norm):
        raise ConfigError(f"{player}: norm={norm!r}; use 'l2' or 'linf'")


def row_sizes(rows: Tensor, norm: Norm = "l2") -> Tensor:
    """Return the norm of each row, shaped to broadcast over rows of any shape; accurate for any finite values."""
    flat = rows.flatten(1)
    largest = flat.abs().amax(dim=1, keepdim=True)
    sizes = largest
    if norm == "l2":
        safe = torch.where(largest > 0, largest, 1)
        # Squares of the raw values could overflow or vanish.
        sizes = largest * torch.linalg.vector_norm(flat / safe, dim=1, keepdim=True)
    return sizes.view(-1, *(1,) * (rows.ndim - 1))


def unit_rows(rows: Tensor, norm: Norm = "l2") -> Tensor:
    """Return the direction of unit norm that each row points to: divided by its length, or its signs for `linf`.

    A row that is zero or not finite has no direction and gives zeros.
    """
    if norm == "l2" and len(rows) > 0:
        plain = _plain_sizes(rows, norm)
        if plain.min() > SMALL and plain.max() < LARGE:
            return rows / plain.view(-1, *(1,) * (rows.ndim - 1))
    largest = row_sizes(rows, "linf")
    has_direction = (largest > 0) & torch.isfinite(largest)
    if norm == "linf":
        return torch.where(has_direction, rows.sign(), 0)
    # Divided twice, since the length itself may overflow.
    scaled = torch.where(has_direction, rows / torch.where(has_direction, largest, 1), 0)
    return scaled / torch.where(has_direction, row_sizes(scaled), 1)


def project_rows(rows: Tensor, norm: Norm = "l2", *, radius: float = 1.0) -> Tensor:
    """Return the nearest point of the ball of `radius` around zero for each row; a row that is not finite gives zeros.

    The projection is Euclidean in both norms: shortened to length `radius`, or clipped value by value.
    """
    if len(rows) > 0 and _plain_sizes(rows, norm).max() < radius * (1 - ROUNDING):
        return rows
    is_finite = torch.isfinite(row_sizes(rows, "linf"))
    finite = torch.where(is_finite, rows, 0)
    if norm == "linf":
        return finite.clamp(-radius, radius)
    return torch.where(row_sizes(finite) > radius, radius * unit_rows(finite), finite)


def _plain_sizes(rows: Tensor, norm: Norm) -> Tensor:
    """Return the norm of each row in one pass, where its square does not overflow or underflow; else a useless one."""
    sizes: Tensor = torch.linalg.vector_norm(rows.flatten(1), 2 if norm == "l2" else torch.inf, dim=1)
    return sizes


def clip_to_pixels(inputs: Tensor) -> Tensor:
    """Clip to the range of pixels, [0, 1]."""
    return inputs.clamp(0, 1)


def bounded_inputs(inputs: Tensor, moved: Tensor, *, epsilon: float, norm: Norm = "l2") -> Tensor:
    """Return `moved`, kept within `epsilon` of `inputs` per example and within [0, 1].

    Clipping to the pixels' range comes last and takes no row out of the ball, since `inputs` are within the range.
    """
    return clip_to_pixels(inputs + project_rows(moved - inputs, norm, radius=epsilon))
