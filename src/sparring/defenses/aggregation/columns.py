"""Column kernels: sums and order statistics over the rows, in float64, a cache-sized block of columns at a time."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, in_main_memory, in_threads
from sparring.defenses.aggregation.sorting_network import comparators
from sparring.kernels import inner_means, weighted_sums


def columnwise(statistic: Callable[[Matrix], Tensor], updates: Matrix) -> Vector:
    """Apply a `statistic` of each column to one block of columns after the other."""
    result = updates.new_empty(updates.shape[1])
    for columns in column_blocks(updates):
        result[columns] = statistic(updates[:, columns])
    return result


def inner_mean(updates: Matrix, trim: int) -> Vector:
    """Average each column without its `trim` smallest and `trim` largest values; of no rows, return zeros.

    The bytes depend on the multiset of each column's values alone: not on the rows' order, blocks or threads.
    """
    if not in_main_memory(updates):
        return columnwise(partial(inner_mean_by_torch, trim=trim), updates)
    values = _readable(updates)
    network = comparators(len(updates), trim)
    return _in_blocks(partial(inner_means(values.dtype.name), values, network, trim), updates)


def weighted_sum(weights: Tensor, updates: Matrix) -> Vector:
    """Add up the rows times their float64 `weights`; a row of weight zero may hold anything, overflow saturates."""
    if not in_main_memory(updates):
        return weighted_sum_by_torch(weights, updates)
    values, rows = _readable(updates), weights.nonzero().flatten()
    chosen, shares = rows.numpy(force=True), weights[rows].double().numpy(force=True)
    largest = torch.finfo(updates.dtype).max
    totals = _in_blocks(partial(weighted_sums(values.dtype.name), values, chosen, shares), updates[: len(rows)])
    return totals.clamp_(-largest, largest)


def inner_mean_by_torch(block: Matrix, trim: int) -> Tensor:
    """Return what `inner_mean` does, on any device: the sums are those of sorted values, in float64."""
    kept = block.double().sort(dim=0).values[trim : max(trim, len(block) - trim)]
    return (kept.sum(dim=0) / max(1, len(kept))).to(block.dtype)


def weighted_sum_by_torch(weights: Tensor, updates: Matrix) -> Vector:
    """Return what `weighted_sum` does, on any device."""
    rows, largest = weights.nonzero().flatten(), torch.finfo(updates.dtype).max
    shares = weights[rows].double()
    return columnwise(lambda block: (shares @ block[rows].double()).clamp_(-largest, largest), updates)


def average(updates: Matrix, rows: Sequence[int]) -> Vector:
    """Average the rows with these indices, without a copy of them; of none, return zeros."""
    weights = updates.new_zeros(len(updates), dtype=torch.float64)
    weights[list(rows)] = 1 / max(1, len(rows))
    return weighted_sum(weights, updates)


def _readable(updates: Matrix) -> NDArray[np.floating]:
    """Return the matrix as kernels read it, without a copy if it lies row by row in main memory."""
    return np.ascontiguousarray(updates.numpy(force=True))


def _in_blocks(kernel: Callable[[int, NDArray[np.floating]], None], updates: Matrix) -> Vector:
    """Let `kernel` fill a vector, given the first column of each block and that part of the vector.

    Blocks are cut for as many rows as `updates` has: those that the kernel reads.
    """
    result = updates.new_empty(updates.shape[1])
    parts = result.numpy()
    in_threads(lambda columns: kernel(columns.start, parts[columns]), column_blocks(updates))
    return result
