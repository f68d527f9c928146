"""Checks of what functions are called with: matrices of updates, and vectors of as many parameters."""

from typing import NoReturn

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.errors import ConfigError

PRECISIONS = (torch.float32, torch.float64)
"""What sums over rows and columns are right in; half precision overflows where updates are ordinary."""


def check_matrix(owner: str, given: object, *, name: str = "updates") -> Matrix:
    """Return a floating-point `[clients, parameters]` matrix as it is computed with; refuse anything else.

    It lies row by row in memory and has no gradient: where that is so already, it is `given` itself.
    """
    if not isinstance(given, Tensor) or not _is_dense(given) or given.dim() != 2:
        _refuse(owner, given, name=name, wanted="[clients, parameters]")
    return _plain(given)


def check_vector(owner: str, given: object, *, name: str, of: Tensor | None = None) -> Vector:
    """Return a floating-point vector as it is computed with, as wide and as precise as `of`; refuse anything else."""
    if not isinstance(given, Tensor) or not _is_dense(given) or given.dim() != 1:
        _refuse(owner, given, name=name, wanted="[parameters]")
    if of is None:
        return _plain(given)
    if given.shape != of.shape[-1:]:
        _refuse(owner, given, name=name, wanted=f"[{of.shape[-1]}]")
    return _plain(given).to(of.dtype)


def _is_dense(tensor: Tensor) -> bool:
    return tensor.dtype in PRECISIONS and tensor.layout == torch.strided


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous() if tensor.requires_grad or not tensor.is_contiguous() else tensor


def _refuse(owner: str, given: object, *, name: str, wanted: str) -> NoReturn:
    described = f"a {type(given).__name__}"
    if isinstance(given, Tensor):
        kind = "" if given.layout == torch.strided else "sparse "
        described = f"{kind}{str(given.dtype).removeprefix('torch.')} of shape {list(given.shape)}"
    raise ConfigError(f"{owner}: {name} is {described}; use a float32 or float64 tensor {wanted}")
