"""The gradient that consecutive global models give away (RLA, algorithm 2)."""

from math import inf

import torch

from sparring.arrays import Vector
from sparring.errors import ConfigError


def aggregated_gradient(previous: Vector, current: Vector, *, lr: float, rounds: int = 1) -> Vector:
    """Return (previous - current) / (lr · rounds): the mean gradient of the rounds between two global models.

    `lr` is what takes a gradient to the server's step: with one local step, the clients' lr times the server's.
    """
    if not 0 < lr < inf:
        raise ConfigError(f"aggregated gradient: lr is {lr}; it must be positive and finite")
    if rounds < 1:
        raise ConfigError(f"aggregated gradient: rounds is {rounds}; it must be at least 1")
    if previous.shape != current.shape:
        given = f"{list(previous.shape)} and {list(current.shape)}"
        raise ConfigError(f"aggregated gradient: the models have shapes {given}; give two of the same network")
    return torch.sub(previous, current).div_(lr * rounds)
