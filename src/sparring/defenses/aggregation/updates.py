"""What a rule is a function of: a matrix of updates."""

import torch
from torch import Tensor

from sparring.errors import ConfigError

PRECISIONS = (torch.float32, torch.float64)
"""What sums over rows and columns are right in; half precision overflows where updates are ordinary."""


def check_updates(rule: str, updates: object) -> None:
    """Refuse what is no floating-point `[clients, parameters]` matrix."""
    if not isinstance(updates, Tensor):
        _refuse(rule, f"a {type(updates).__name__}")
    elif updates.dtype not in PRECISIONS or updates.dim() != 2:
        _refuse(rule, f"{str(updates.dtype).removeprefix('torch.')} of shape {list(updates.shape)}")


def _refuse(rule: str, given: str) -> None:
    raise ConfigError(f"{rule}: updates is {given}; use a float32 or float64 tensor [clients, parameters]")
