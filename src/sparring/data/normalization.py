"""Mean and standard deviation of inputs, for the normalization in a model's first operation."""

from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """One value per channel of images, a single value for anything else."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def moments(inputs: Tensor) -> Moments:
    """Compute mean and std of at least one example on the scale of [0, 1]; a constant channel gets a std of 1."""
    channels = inputs.unbind(dim=1) if inputs.ndim == 4 else (inputs,)
    measured = [_of_bytes(channel) if inputs.dtype == torch.uint8 else _of_floats(channel) for channel in channels]
    return Moments(tuple(mean for mean, _ in measured), tuple(_divisor(mean, std) for mean, std in measured))


def _divisor(mean: float, std: float) -> float:
    is_rounding = std <= 1e-6 * abs(mean)
    return 1.0 if is_rounding else std


def _of_bytes(channel: Tensor) -> tuple[float, float]:
    """Compute from the histogram: exact, and without a float copy four times the size of the images."""
    values = torch.arange(256, dtype=torch.float64) / 255
    weights = torch.bincount(channel.flatten(), minlength=256) / channel.numel()
    mean = (weights * values).sum()
    return mean.item(), (weights * (values - mean) ** 2).sum().sqrt().item()


def _of_floats(channel: Tensor) -> tuple[float, float]:
    std, mean = torch.std_mean(channel, correction=0)
    return mean.item(), std.item()
