"""The observation of an attacker's policy (Li et al., 2022, section 4.3): the model and the fraction malicious."""

import numpy as np

from sparring.arrays import FloatArray, Vector
from sparring.contracts import Network
from sparring.models.summary import seen_parameters, summary


def observation(
    network: Network, parameters: Vector, *, malicious: int, sampled: int, layers: int | None
) -> FloatArray:
    """Return the parameters of the last `layers` layers (None: all layers), then the fraction of malicious clients."""
    seen = summary(network, parameters, layers=layers)
    return np.append(seen, np.float32(malicious / sampled))


def observation_size(network: Network, layers: int | None) -> int:
    """Return the length of the observation."""
    return len(range(network.size)[seen_parameters(network, layers)]) + 1
