"""Compiled loops over columns, for operations that torch has no fast version of.

Each loop is compiled at its first use and not cached on disk, because numba would read and write pickles. It runs on
one thread and releases the GIL, so that a caller can give each thread a block of columns.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 256
"""Columns in a tile: enough for long vector loops, few enough that a tile of 1000 rows fits in a core's cache."""
RUN = 512
"""Columns whose squared differences are summed in the matrix's own precision."""
REORDERED = {"reassoc", "contract"}
"""Allows sums in any order, which vectorization requires; the order is fixed at compile time."""


@cache
def inner_means(precision: str) -> Callable[..., None]:
    """Return `_inner_means`, compiled for matrices of `precision`, float32 or float64."""
    return _compile(_inner_means, f"void({precision}[:, ::1], intp[:, ::1], intp, intp, {precision}[::1])")


@cache
def weighted_inner_means(precision: str) -> Callable[..., None]:
    """Return `_weighted_inner_means`, compiled for matrices of `precision`, float32 or float64."""
    signature = f"void({precision}[:, ::1], float64[:, ::1], intp[:, ::1], intp, intp, {precision}[::1])"
    return _compile(_weighted_inner_means, signature)


@cache
def weighted_sums(precision: str) -> Callable[..., None]:
    """Return `_weighted_sums`, compiled for matrices of `precision`, float32 or float64."""
    return _compile(_weighted_sums, f"void({precision}[:, ::1], intp[::1], float64[::1], intp, {precision}[::1])")


@cache
def pair_sums(precision: str) -> Callable[..., None]:
    """Return `_pair_sums`, compiled for matrices of `precision`, float32 or float64."""
    signature = f"void({precision}[:, ::1], boolean, intp, intp, float64[:, ::1])"
    return _compile(_pair_sums, signature, fastmath=REORDERED)


def _compile(loop: Callable[..., None], signature: str, *, fastmath: set[str] | None = None) -> Callable[..., None]:
    kernel: Callable[..., None] = njit(signature, nogil=True, error_model="numpy", fastmath=fastmath or False)(loop)
    return kernel


@njit(fastmath={"nnan", "nsz"})
def _exchange(tile: NDArray[np.floating], comparators: NDArray[np.intp]) -> None:
    """Sort the values of each pair of rows, pair by pair.

    There is no NaN, and the order of +0 and -0 is left open; under these conditions the minimum compiles to a vector
    instruction.
    """
    for pair in range(len(comparators)):
        lower, upper = tile[comparators[pair, 0]], tile[comparators[pair, 1]]
        for lane in range(LANES):
            one, other = lower[lane], upper[lane]
            lower[lane] = min(one, other)
            upper[lane] = max(one, other)


@njit(fastmath=REORDERED)
def _term(one: float, other: float, apart: bool) -> float:
    """Return one coordinate's term of the squared distance if `apart`, else of the inner product."""
    return (one - other) * (one - other) if apart else one * other


def _inner_means(
    matrix: NDArray[np.floating],
    comparators: NDArray[np.intp],
    trim: int,
    first: int,
    means: NDArray[np.floating],
) -> None:
    """Average the columns from `first` on without their `trim` smallest and largest values, sorted by `comparators`.

    Sums are in float64, from zero and in ascending order, so that the order of rows and the sign of zeros cannot
    change a byte.
    """
    rows = len(matrix)
    tile = np.zeros((rows, LANES), matrix.dtype)
    for start in range(0, len(means), LANES):
        out = means[start : start + LANES]
        for row in range(rows):
            # A slice has indices known to be non-negative, which lets the compiler vectorize the loop.
            source, target = matrix[row, first + start : first + start + len(out)], tile[row]
            for lane in range(len(source)):
                target[lane] = source[lane]
        _exchange(tile, comparators)
        total = np.zeros(LANES)
        for row in range(trim, rows - trim):
            for lane in range(LANES):
                total[lane] += tile[row, lane]
        for lane in range(len(out)):
            out[lane] = total[lane] / max(1, rows - 2 * trim)


@njit
def _add_inner(
    tile: NDArray[np.floating],
    weights: NDArray[np.float64],
    ends: NDArray[np.floating],
    trim: int,
    sums: NDArray[np.float64],
) -> None:
    """Add the weighted values between the smallest and the largest kept one, `ends`, and their weights to `sums`.

    Of values equal to an end, an equal share of each is kept, so that the order of rows does not matter.
    """
    counted = np.zeros((6, LANES))
    beyond, past, low_count, high_count, low_mass, high_mass = counted
    for row in range(len(tile)):
        source, weight = tile[row], weights[row]
        for lane in range(LANES):
            value, low, high = source[lane], ends[0, lane], ends[1, lane]
            inner = weight if (value > low) & (value < high) else 0.0
            sums[0, lane] += inner * value
            sums[1, lane] += inner
            beyond[lane] += 1.0 if value < low else 0.0
            past[lane] += 1.0 if value > high else 0.0
            low_count[lane] += 1.0 if value == low else 0.0
            high_count[lane] += 1.0 if value == high else 0.0
            low_mass[lane] += weight if value == low else 0.0
            high_mass[lane] += weight if value == high else 0.0
    for lane in range(LANES):
        low_share = low_mass[lane] * (low_count[lane] - trim + beyond[lane]) / low_count[lane]
        high_share = high_mass[lane] * (high_count[lane] - trim + past[lane]) / high_count[lane]
        sums[0, lane] += low_share * ends[0, lane] + high_share * ends[1, lane]
        sums[1, lane] += low_share + high_share


def _weighted_inner_means(
    matrix: NDArray[np.floating],
    scales: NDArray[np.float64],
    comparators: NDArray[np.intp],
    trim: int,
    first: int,
    means: NDArray[np.floating],
) -> None:
    """Average the columns without the `trim` extremes on a side; `scales` are each row's weight and its factor.

    `comparators` sort the smallest and the largest value that is kept into their positions.
    """
    count, largest = len(matrix), np.finfo(matrix.dtype).max
    tile, ordered = np.zeros((count, LANES), matrix.dtype), np.empty((count, LANES), matrix.dtype)
    ends, sums = np.empty((2, LANES), matrix.dtype), np.empty((2, LANES))
    for start in range(0, len(means), LANES):
        out = means[start : start + LANES]
        for index in range(count):
            source, target = matrix[index, first + start : first + start + len(out)], tile[index]
            for lane in range(len(source)):
                target[lane] = min(largest, max(-largest, scales[1, index] * source[lane]))
        ordered[:] = tile
        _exchange(ordered, comparators)
        ends[0], ends[1] = ordered[trim], ordered[count - 1 - trim]
        sums[:] = 0
        _add_inner(tile, scales[0], ends, trim, sums)
        for lane in range(len(out)):
            out[lane] = sums[0, lane] / sums[1, lane] if ends[0, lane] < ends[1, lane] else ends[0, lane]


def _weighted_sums(
    matrix: NDArray[np.floating],
    rows: NDArray[np.intp],
    weights: NDArray[np.float64],
    first: int,
    sums: NDArray[np.floating],
) -> None:
    """Sum the given rows times their weights, row by row in float64, over the columns from `first` on."""
    for start in range(0, len(sums), LANES):
        out = sums[start : start + LANES]
        total = np.zeros(len(out))
        for index in range(len(rows)):
            source, weight = matrix[rows[index], first + start : first + start + len(out)], weights[index]
            for lane in range(len(out)):
                total[lane] += weight * source[lane]
        for lane in range(len(out)):
            out[lane] = total[lane]


@njit(fastmath=REORDERED)
def _add_run(matrix: NDArray[np.floating], apart: bool, start: int, end: int, sums: NDArray[np.float64]) -> None:
    """Add the terms of `_pair_sums` for a few columns.

    Two rows are paired with two others at a time, so that each value read serves two pairs. If the number of rows is
    odd, the last row is paired with itself in place of a neighbor; those sums lie outside the rows' square.
    """
    last = len(matrix) - 1
    for row in range(0, last + 1, 2):
        one, two = matrix[row, start:end], matrix[min(row + 1, last), start:end]
        for column in range(0, row + 1, 2):
            three, four = matrix[column, start:end], matrix[min(column + 1, last), start:end]
            one_three = two_three = one_four = two_four = matrix.dtype.type(0)
            for lane in range(len(one)):
                one_three += _term(one[lane], three[lane], apart)
                two_three += _term(two[lane], three[lane], apart)
                one_four += _term(one[lane], four[lane], apart)
                two_four += _term(two[lane], four[lane], apart)
            sums[row, column] += one_three
            sums[row + 1, column] += two_three
            sums[row, column + 1] += one_four
            sums[row + 1, column + 1] += two_four


def _pair_sums(matrix: NDArray[np.floating], apart: bool, first: int, stop: int, sums: NDArray[np.float64]) -> None:
    """Add each pair of rows' squared distance if `apart`, else their inner product, to the lower triangle.

    Only the columns from `first` to `stop` count; each run of `RUN` columns is summed in the matrix's precision.
    """
    for start in range(first, stop, RUN):
        _add_run(matrix, apart, start, min(start + RUN, stop), sums)
