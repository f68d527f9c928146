"""Arithmetic on the rows and columns of an update matrix: distances, order statistics, clipping, noise, subsets."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, finite_rows, in_main_memory, in_threads
from sparring.contracts import DefenderView
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.defenses.aggregation.toolkit.sorting_network import comparators
from sparring.kernels import inner_means, weighted_inner_means, weighted_sums
from sparring.random import Generator


def drop_non_finite(updates: Matrix) -> Matrix:
    """Return the finite rows; if all rows are finite, `updates` itself."""
    finite = finite_rows(updates)
    return updates if finite.all() else updates[finite]


def distances_to(point: Vector, updates: Matrix) -> Tensor:
    """Return the distance of each row from `point`; Inf or NaN for a non-finite row."""
    squares = updates.new_zeros(len(updates), dtype=torch.float64)
    for columns in column_blocks(updates):
        squares += (updates[:, columns].double() - point[columns]).square_().sum(dim=1)
    return squares.sqrt_()


def products_with(vector: Vector, updates: Matrix) -> Tensor:
    """Return the inner product of each row with `vector`."""
    products = updates.new_zeros(len(updates), dtype=torch.float64)
    for columns in column_blocks(updates):
        products += updates[:, columns].double() @ vector[columns].double()
    return products


def middle(values: Tensor) -> Tensor:
    """Return the median of finite numbers over the first dimension; for an even number, the mean of the middle two.

    Return zero if there are no numbers.
    """
    count = len(values)
    ordered = values.sort(dim=0).values
    return ordered[minority(count) : count // 2 + 1].sum(dim=0) / max(1, 2 - count % 2)


def columnwise(statistic: Callable[[Matrix], Tensor], updates: Matrix) -> Vector:
    """Apply a per-column `statistic` block by block."""
    result = updates.new_empty(updates.shape[1])
    for columns in column_blocks(updates):
        result[columns] = statistic(updates[:, columns])
    return result


def inner_mean(updates: Matrix, trim: int) -> Vector:
    """Average each column without its `trim` smallest and `trim` largest values; return zeros if there are no rows.

    The result, to the last bit, depends only on each column's multiset of values, not on row order, blocks or threads.
    """
    if not in_main_memory(updates):
        return columnwise(partial(inner_mean_by_torch, trim=trim), updates)
    values = _readable(updates)
    network = comparators(len(updates), trim)
    return _in_blocks(partial(inner_means(values.dtype.name), values, network, trim), updates)


def weighted_sum(weights: Tensor, updates: Matrix) -> Vector:
    """Sum the rows times their float64 `weights`; rows of weight zero may be non-finite, overflow saturates."""
    if not in_main_memory(updates):
        return weighted_sum_by_torch(weights, updates)
    values, rows = _readable(updates), weights.nonzero().flatten()
    chosen, shares = rows.numpy(force=True), weights[rows].double().numpy(force=True)
    largest = torch.finfo(updates.dtype).max
    totals = _in_blocks(partial(weighted_sums(values.dtype.name), values, chosen, shares), updates[: len(rows)])
    return totals.clamp_(-largest, largest)


def weighted_inner_mean(updates: Matrix, weights: Tensor, *, factors: Tensor, trim: int) -> Vector:
    """Average the rows times `factors`, by float64 `weights`, without each column's `trim` extremes on either side.

    Only rows of positive weight count, more than twice `trim`. The result is scaled by the sum of all weights, as a
    weighted sum is; overflow saturates. Of values equal to the last one that is kept, an equal share of each is kept.
    """
    counts = weights > 0
    kept = updates if counts.all() else updates[counts]
    shares, scales = weights[counts].double(), factors[counts].double() * weights.sum()
    if not in_main_memory(updates):
        largest = torch.finfo(updates.dtype).max
        average = partial(weighted_inner_mean_by_torch, shares=shares, trim=trim)
        return columnwise(lambda block: average((block * scales[:, None]).clamp_(-largest, largest)), kept)
    values, both = _readable(kept), torch.stack([shares, scales]).numpy(force=True)
    kernel = weighted_inner_means(values.dtype.name)
    return _in_blocks(partial(kernel, values, both, comparators(len(kept), trim), trim), kept)


def weighted_inner_mean_by_torch(block: Matrix, shares: Tensor, *, trim: int) -> Tensor:
    """Compute the same as `weighted_inner_mean`, on any device, for rows that are scaled already."""
    low, high = block.sort(dim=0).values[[trim, len(block) - 1 - trim]]
    is_low, is_high, inner = block == low, (block == high) & (low < high), (block > low) & (block < high)
    low_share = 1 - (trim - (block < low).sum(dim=0)) / is_low.sum(dim=0)
    high_share = 1 - (trim - (block > high).sum(dim=0)) / is_high.sum(dim=0).clamp(min=1)
    weights = shares[:, None] * (inner + is_low * low_share + is_high * high_share)
    average = (weights * block).sum(dim=0) / weights.sum(dim=0)
    return torch.where(low < high, average, low)


def inner_mean_by_torch(block: Matrix, trim: int) -> Tensor:
    """Compute the same as `inner_mean`, on any device, from sorted values in float64."""
    kept = block.double().sort(dim=0).values[trim : max(trim, len(block) - trim)]
    return (kept.sum(dim=0) / max(1, len(kept))).to(block.dtype)


def weighted_sum_by_torch(weights: Tensor, updates: Matrix) -> Vector:
    """Compute the same as `weighted_sum`, on any device."""
    rows, largest = weights.nonzero().flatten(), torch.finfo(updates.dtype).max
    shares = weights[rows].double()
    return columnwise(lambda block: (shares @ block[rows].double()).clamp_(-largest, largest), updates)


def average(updates: Matrix, rows: Sequence[int]) -> Vector:
    """Average the rows with these indices, without copying them; return zeros if there are none."""
    weights = updates.new_zeros(len(updates), dtype=torch.float64)
    weights[list(rows)] = 1 / max(1, len(rows))
    return weighted_sum(weights, updates)


def _readable(updates: Matrix) -> NDArray[np.floating]:
    """Return the matrix as a contiguous array for kernels, without a copy if it is contiguous in main memory."""
    return np.ascontiguousarray(updates.numpy(force=True))


def _in_blocks(kernel: Callable[[int, NDArray[np.floating]], None], updates: Matrix) -> Vector:
    """Let `kernel` fill a vector, given the first column of each block and the matching part of the vector.

    The block size is chosen for the number of rows in `updates`, which the kernel reads.
    """
    result = updates.new_empty(updates.shape[1])
    parts = result.numpy()
    in_threads(lambda columns: kernel(columns.start, parts[columns]), column_blocks(updates))
    return result


def clip_factors(norms: Tensor, bound: Tensor) -> Tensor:
    """Return the clipping factors of rows with these norms for the norm `bound`."""
    return torch.where(norms > bound, bound / norms, 1)


def share_average(updates: Matrix, shares: Tensor) -> Vector:
    """Average the accepted rows times their clipping factors; return zeros if there are none."""
    return weighted_sum(shares / (shares > 0).sum().clamp(min=1), updates)


def note_shares(view: DefenderView, shares: Tensor) -> None:
    """Record which rows were accepted, and which of them were clipped."""
    view.note("selected", shares.nonzero().flatten().tolist())
    view.note("clipped", ((shares > 0) & (shares < 1)).nonzero().flatten().tolist())


def add_noise(step: Vector, deviation: float, *, rng: Generator) -> Vector:
    """Add independent Gaussian noise to each coordinate; overflow saturates."""
    if deviation == 0:
        return step
    noise = torch.from_numpy(rng.standard_normal(len(step))).to(step.device).mul_(deviation)
    largest = torch.finfo(step.dtype).max
    return noise.add_(step).clamp_(-largest, largest).to(step.dtype)


def draw_coordinates(parameters: int, count: int, *, rng: Generator) -> Tensor:
    """Draw `count` of the coordinates, or all if there are no more, in ascending order."""
    drawn = rng.choice(parameters, size=min(count, parameters), replace=False, shuffle=False)
    return torch.from_numpy(drawn).sort().values
