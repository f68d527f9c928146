"""Root data: the few clean examples that the server holds."""

import numpy as np
import torch
from torch import Tensor

from sparring.data.random_order import Integers, random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator

FAVORED = 0
"""The class that a biased sample prefers."""


def root_sample(labels: Tensor, *, size: int, bias: float | None = None, rng: Generator) -> Tensor:
    """Return the indices of `size` different examples.

    Each is of class 0 with probability `bias`, else of any other class (Cao et al., 2021); None means no preference.
    """
    if not 1 <= size <= len(labels):
        raise ConfigError(f"root data size is {size}; it must be 1 to {len(labels)}, the number of examples")
    if bias is None:
        return torch.from_numpy(np.sort(rng.choice(len(labels), size, replace=False)))
    known = labels.numpy()
    held = np.bincount(known, minlength=2)
    wanted = _draw_counts(held, size, bias=bias, rng=rng)
    return torch.from_numpy(np.flatnonzero(random_ranks(known, rng) < wanted[known]))


def _draw_counts(held: Integers, size: int, *, bias: float, rng: Generator) -> Integers:
    """Draw how many examples of each class to take, given how many there are."""
    if not 0 <= bias <= 1:
        raise ConfigError(f"root data bias is {bias}; it must be 0 to 1")
    shares = np.full(len(held), (1 - bias) / (len(held) - 1))
    shares[FAVORED] = bias
    wanted = rng.multinomial(size, shares)
    if (wanted > held).any():
        short = int(np.argmax(wanted - held))
        raise ConfigError(
            f"root data of size {size} and bias {bias} take {wanted[short]} examples of class {short}, "
            f"which has {held[short]}; use a smaller size or another bias"
        )
    return wanted
