"""Batcher's merge exchange (Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M)."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def merge_exchange(size: int) -> Iterator[tuple[int, int]]:
    """Return the index pairs to compare, and to swap if the first holds the greater value, that sort `size` values."""
    top = 1 << max(0, size - 1).bit_length() >> 1
    step = top
    while step:
        reach, residue, distance = top, 0, step
        while distance:
            yield from ((low, low + distance) for low in range(size - distance) if low & step == residue)
            distance, reach, residue = reach - step, reach // 2, step
        step //= 2


@lru_cache(maxsize=64)
def comparators(size: int, trim: int) -> NDArray[np.intp]:
    """Return the comparator pairs that sort all values but the `trim` smallest and largest into their positions.

    Pairs that do not affect these positions are omitted: a fifth of them for the median of 200.
    """
    needed = set(range(trim, size - trim))
    pairs = []
    for pair in reversed(list(merge_exchange(size))):
        if not needed.isdisjoint(pair):
            needed.update(pair)
            pairs.append(pair)
    return np.array(pairs[::-1], dtype=np.intp).reshape(-1, 2)
