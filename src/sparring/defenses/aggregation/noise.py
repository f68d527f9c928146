"""Gaussian noise on what a rule returns."""

import torch

from sparring.arrays import Vector
from sparring.random import Generator


def blurred(step: Vector, deviation: float, *, rng: Generator) -> Vector:
    """Add to each coordinate its own Gaussian noise; overflow saturates."""
    if deviation == 0:
        return step
    noise = torch.from_numpy(rng.standard_normal(len(step))).to(step.device).mul_(deviation)
    largest = torch.finfo(step.dtype).max
    return noise.add_(step).clamp_(-largest, largest).to(step.dtype)
