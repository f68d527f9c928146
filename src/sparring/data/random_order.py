"""Random order among elements with equal keys, used by splits, partitions and samples."""

import numpy as np
from numpy.typing import NDArray

from sparring.random import Generator

Integers = NDArray[np.int64]


def random_ranks(keys: Integers, rng: Generator) -> Integers:
    """Number the elements of each key from 0 on, in random order."""
    shuffled = rng.permutation(len(keys))
    order = shuffled[np.argsort(keys[shuffled], kind="stable")]
    counts = np.bincount(keys)
    ranks = np.empty_like(keys)
    ranks[order] = np.arange(len(keys)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks
