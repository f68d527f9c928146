"""Compiled loops over columns, for what torch has no fast operation.

Each is compiled when first used, and not kept on disk: numba would write pickles, and read them. It runs on one thread
without Python's lock, so that a caller can give every thread a block of columns.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 256
"""Columns in a tile: many for long vector loops, few enough that a tile of 1000 rows stays in a core's own cache."""
RUN = 512
"""Columns whose squared differences are added up in the matrix's own precision."""
REORDERED = {"reassoc", "contract"}
"""Lets sums be taken in any order, without which they fill no vector register; it is fixed when they are compiled."""


@cache
def inner_means(precision: str) -> Callable[..., None]:
    """Return `_inner_means`, compiled for matrices of `precision`, float32 or float64."""
    return _compiled(_inner_means, f"void({precision}[:, ::1], intp[:, ::1], intp, intp, {precision}[::1])")


@cache
def weighted_sums(precision: str) -> Callable[..., None]:
    """Return `_weighted_sums`, compiled for matrices of `precision`, float32 or float64."""
    return _compiled(_weighted_sums, f"void({precision}[:, ::1], intp[::1], float64[::1], intp, {precision}[::1])")


@cache
def pair_sums(precision: str) -> Callable[..., None]:
    """Return `_pair_sums`, compiled for matrices of `precision`, float32 or float64."""
    signature = f"void({precision}[:, ::1], boolean, intp, intp, float64[:, ::1])"
    return _compiled(_pair_sums, signature, fastmath=REORDERED)


def _compiled(loop: Callable[..., None], signature: str, *, fastmath: set[str] | None = None) -> Callable[..., None]:
    kernel: Callable[..., None] = njit(signature, nogil=True, error_model="numpy", fastmath=fastmath or False)(loop)
    return kernel


@njit(fastmath={"nnan", "nsz"})
def _exchange(tile: NDArray[np.floating], comparators: NDArray[np.intp]) -> None:
    """Bring the values of each pair of rows in order, pair after pair.

    There is no NaN, and which zero is the lesser is open: on these terms a processor has a minimum of vectors.
    """
    for pair in range(len(comparators)):
        lower, upper = tile[comparators[pair, 0]], tile[comparators[pair, 1]]
        for lane in range(LANES):
            one, other = lower[lane], upper[lane]
            lower[lane] = min(one, other)
            upper[lane] = max(one, other)


@njit(fastmath=REORDERED)
def _term(one: float, other: float, apart: bool) -> float:
    """Return a coordinate's part of the squared distance, where `apart`, or else of the inner product."""
    return (one - other) * (one - other) if apart else one * other


def _inner_means(
    matrix: NDArray[np.floating],
    comparators: NDArray[np.intp],
    trim: int,
    first: int,
    means: NDArray[np.floating],
) -> None:
    """Average the columns from `first` on without their `trim` least and greatest values, which `comparators` part off.

    The sums are in float64, from zero and in ascending order: no order of the rows nor sign of a zero changes a byte.
    """
    rows = len(matrix)
    tile = np.zeros((rows, LANES), matrix.dtype)
    for start in range(0, len(means), LANES):
        out = means[start : start + LANES]
        for row in range(rows):
            # A slice: its indices are known not to be negative, which is what lets the loop be vectorized.
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


def _weighted_sums(
    matrix: NDArray[np.floating],
    rows: NDArray[np.intp],
    weights: NDArray[np.float64],
    first: int,
    sums: NDArray[np.floating],
) -> None:
    """Add up these rows times their weights, row after row in float64, in the columns from `first` on."""
    for start in range(0, len(sums), LANES):
        out = sums[start : start + LANES]
        total = np.zeros(len(out))
        for place in range(len(rows)):
            source, weight = matrix[rows[place], first + start : first + start + len(out)], weights[place]
            for lane in range(len(out)):
                total[lane] += weight * source[lane]
        for lane in range(len(out)):
            out[lane] = total[lane]


@njit(fastmath=REORDERED)
def _add_run(matrix: NDArray[np.floating], apart: bool, start: int, end: int, sums: NDArray[np.float64]) -> None:
    """Add what `_pair_sums` adds, in a few columns.

    Two rows at a time meet two others: what is read serves two pairs. A last odd row stands in for a neighbor, whose
    sums lie outside the rows' square.
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
    """Add each pair of rows' squared distance, where `apart`, or else their inner product, to the lower triangle.

    Only the columns from `first` to `stop` count; a run of them is added up in the matrix's precision.
    """
    for start in range(first, stop, RUN):
        _add_run(matrix, apart, start, min(start + RUN, stop), sums)
