"""What an attacker's policy sees (Li et al., 2022, section 4.3): the model, and the share of malicious clients."""

import numpy as np

from sparring.arrays import FloatArray, Vector
from sparring.contracts import Network
from sparring.models.summary import seen_parameters, summary


def observation(
    network: Network, parameters: Vector, *, malicious: int, sampled: int, layers: int | None
) -> FloatArray:
    """Return the parameters of the last `layers` layers (None: of all), then the share of malicious clients."""
    seen = summary(network, parameters, layers=layers)
    return np.append(seen, np.float32(malicious / sampled))


def observation_size(network: Network, layers: int | None) -> int:
    """Return how many numbers that are."""
    return len(range(network.size)[seen_parameters(network, layers)]) + 1
