"""A policy's observation of a model: all of its parameters, or those of its last layers."""

import torch

from sparring.arrays import FloatArray, Vector
from sparring.contracts import Network
from sparring.errors import ConfigError

FARTHEST = 1e6
"""Unscaled parameters are clipped to this magnitude, so that every observation is finite."""


def seen_parameters(network: Network, layers: int | None) -> slice:
    """Return the coordinates of the last `layers` layers, or all if it is None."""
    if layers is None:
        return slice(0, network.size)
    known = tuple(network.layers.values())
    if not 1 <= layers <= len(known):
        raise ConfigError(f"observation layers is {layers}; the model has {len(known)}, use from 1 to {len(known)}")
    return slice(known[-layers].start, network.size)


def summary(network: Network, parameters: Vector, *, layers: int | None) -> FloatArray:
    """Return the parameters of the last `layers` layers, scaled to [-1, 1], or all parameters unscaled if None."""
    seen = parameters[seen_parameters(network, layers)].nan_to_num(nan=0.0).clamp(-FARTHEST, FARTHEST)
    return (seen if layers is None else _scale(seen)).numpy(force=True).copy()


def _scale(values: Vector) -> Vector:
    low, high = values.aminmax()
    width = high - low
    # Values that are all equal are mapped to 0.
    return torch.where(width > 0, 2 * (values - low) / width - 1, values.new_zeros(())).clamp_(-1, 1)
