"""Array types and the few row operations that all layers share."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.kernels import pair_sums

Vector = Tensor
"""A flat float32 tensor, `[parameters]`."""
Matrix = Tensor
"""A float32 tensor with one row per client, `[clients, parameters]`."""
FloatArray = NDArray[np.float32]
"""An observation or action of a policy, `[numbers]`."""

BLOCK = 1 << 16
"""Columns processed at once where a whole matrix in float64 would not fit in memory."""
CELLS = 1 << 19
"""Values processed at once where a block of columns should stay in cache, for any number of rows."""
CACHED = 1 << 16
"""Float64 values processed at once where every row is read many times: half of a core's cache."""
FAINT = 1e-24
"""A squared distance below which squares of float32 differences may have underflowed."""
WIDE = 250
"""Maximum number of characters for one value in a `repr`."""
SHOWN = 10
"""Maximum number of list elements shown individually in a `repr`."""
STRIPES = 16
"""Maximum number of parts, each with a partial result, that threads share; enough for threads of unequal speed."""

Result = TypeVar("Result")
Record = TypeVar("Record")


def briefly(record: Any) -> str:
    """Return a short `repr` of a dataclass or named tuple: arrays by their shape, long lists by their length."""
    names = getattr(record, "_fields", None) or [field.name for field in fields(record) if field.repr]
    shown = ", ".join(f"{name}={_brief(getattr(record, name))}" for name in names)
    return f"{type(record).__name__}({shown})"


def _brief(value: Any) -> str:
    is_group = isinstance(value, Sequence | Mapping | Set) and not isinstance(value, str)
    if not is_group or len(value) <= SHOWN:
        written = _format_array(value)
        if len(written) <= WIDE and "\n" not in written:
            return written
    return f"<{type(value).__name__} of {len(value)}>" if is_group else f"<{type(value).__name__}>"


def _format_array(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_brief(each)}" for key, each in value.items()) + "}"
    if type(value) in (list, tuple):
        shown = ", ".join(map(_brief, value))
        return f"[{shown}]" if isinstance(value, list) else f"({shown})"
    return repr(value)


class Batch(NamedTuple):
    """Inputs and their labels; images are `[examples, channels, height, width]`."""

    inputs: Tensor
    labels: Tensor

    def __repr__(self) -> str:
        return briefly(self)


def pixels(inputs: Tensor) -> Tensor:
    """Scale bytes to [0, 1]; floats are returned unchanged."""
    return inputs.float().div_(255) if inputs.dtype == torch.uint8 else inputs


def in_chunks(tensor: Tensor, largest: int) -> tuple[Tensor, ...]:
    """Split along the first dimension into the fewest near-equal parts of at most `largest` rows.

    Equal parts give a model with batch normalization about the same number of examples in each.
    """
    return tensor.tensor_split(max(1, -(-len(tensor) // largest)))


def on_device(value: Any, device: torch.device | str) -> Any:
    """Move a tensor, a batch or a mapping of tensors to a device; return anything else unchanged."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Batch):
        return Batch(value.inputs.to(device), value.labels.to(device))
    if isinstance(value, Mapping):
        return {key: on_device(each, device) for key, each in value.items()}
    return value


def move_tensors(record: Record, device: torch.device | str) -> Record:
    """Return a frozen dataclass with its tensors moved to a device."""
    own = {field.name: getattr(record, field.name) for field in fields(record) if field.init}  # type: ignore[arg-type]
    return replace(record, **{name: on_device(value, device) for name, value in own.items()})  # type: ignore[type-var]


def is_finite(tensor: Tensor) -> bool:
    """Say whether every value is finite, in one pass and without a temporary as large as `tensor`."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def finite_rows(matrix: Matrix) -> Tensor:
    """Return a boolean per row: whether the row holds only finite values."""
    # A row whose sum overflows is checked value by value.
    finite = torch.isfinite(matrix.sum(dim=1))
    for row in (~finite).nonzero().flatten().tolist():
        finite[row] = torch.isfinite(matrix[row]).all()
    return finite


def row_norms(matrix: Matrix) -> Tensor:
    """Return the Euclidean norm of each row in float64, accurate for values up to 1e38."""
    parts = [torch.linalg.vector_norm(block, dim=1).double() for block in matrix.split(BLOCK, dim=1)]
    norms: Tensor = torch.linalg.vector_norm(torch.stack(parts), dim=0)
    doubtful = ~torch.isfinite(norms) | (norms < 1e-15)
    for row in doubtful.nonzero().flatten().tolist():
        norms[row] = torch.linalg.vector_norm(matrix[row].double())
    return norms


def column_blocks(matrix: Matrix) -> Iterator[slice]:
    """Split the columns into blocks of about `CELLS` values."""
    return _cut(slice(0, matrix.shape[1]), max(1, CELLS // max(1, len(matrix))))


def _cut(columns: slice, width: int) -> Iterator[slice]:
    starts = range(columns.start, columns.stop, width)
    return (slice(start, min(start + width, columns.stop)) for start in starts)


def in_threads(work: Callable[[slice], Result], parts: Iterable[slice]) -> list[Result]:
    """Run `work`, which must release the GIL, on every part, with as many threads as torch is set to use.

    The calling thread takes part; it does not wait for threads that have not started any part. With fewer than two
    parts per thread, fewer threads are used.
    """
    pieces = list(parts)
    results: dict[int, Result] = {}
    queue = iter(range(len(pieces)))

    def take() -> None:
        for index in queue:
            results[index] = work(pieces[index])

    threads = min(torch.get_num_threads(), len(pieces) // 2)
    helpers = [_pool(threads - 1, os.getpid()).submit(take) for _ in range(threads - 1)]
    take()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return [results[index] for index in range(len(pieces))]


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Return a cached thread pool, since starting threads is slow; each forked `process` gets its own pool."""
    return ThreadPoolExecutor(threads, thread_name_prefix=f"columns-{process}")


def gram(matrix: Matrix, center: Vector) -> Tensor:
    """Return the `[rows, rows]` inner products, in float64, of the rows' offsets from `center`."""
    if not in_main_memory(matrix):
        return gram_by_torch(matrix, center)
    values, origin = np.ascontiguousarray(matrix.numpy(force=True)), center.numpy(force=True)

    def offsets(columns: slice) -> NDArray[np.float64]:
        block: NDArray[np.float64] = np.subtract(values[:, columns], origin[columns], dtype=np.float64)
        return block

    return _sum_pairs(offsets, values.shape, apart=False)


def squared_distances(matrix: Matrix) -> Tensor:
    """Return the `[rows, rows]` squared distances in float64, accurate for close rows far from zero and up to 1e38.

    Differences are squared and summed directly, to avoid cancellation: each run of columns in float32, with a relative
    error of 1e-6, and the runs in float64. Where that overflows or underflows, all is recomputed in float64.
    """
    if not in_main_memory(matrix):
        return squared_distances_by_torch(matrix)
    values = np.ascontiguousarray(matrix.numpy(force=True))
    kernel = pair_sums(values.dtype.name)
    distances = _add_up(lambda columns, sums: kernel(values, True, columns.start, columns.stop, sums), values.shape)
    if not _is_sure(distances, matrix):
        distances = _sum_pairs(lambda columns: values[:, columns].astype(np.float64), values.shape, apart=True)
    return distances


def in_main_memory(tensor: Tensor) -> bool:
    """Say whether compiled loops can read a tensor; on other devices torch operations are used."""
    return tensor.device.type == "cpu"


def gram_by_torch(matrix: Matrix, center: Vector) -> Tensor:
    """Compute the same as `gram`, on any device."""
    total = matrix.new_zeros(len(matrix), len(matrix), dtype=torch.float64)
    for columns in column_blocks(matrix):
        offsets = matrix[:, columns].double() - center[columns].double()
        total += offsets @ offsets.T
    return total


def squared_distances_by_torch(matrix: Matrix) -> Tensor:
    """Compute the same as `squared_distances`, on any device; differences are squared and summed in float64."""
    total = matrix.new_zeros(len(matrix), len(matrix), dtype=torch.float64)
    for columns in column_blocks(matrix):
        block = matrix[:, columns].double()
        total += torch.cdist(block, block, compute_mode="donot_use_mm_for_euclid_dist").square_()
    return total


def _is_sure(distances: Tensor, matrix: Matrix) -> bool:
    """Say whether all distances are finite, and any that may have underflowed are between equal rows."""
    if not torch.isfinite(distances).all():
        return False
    originals: dict[int, int] = {}
    for copy, original in (distances < FAINT).tril(-1).nonzero().tolist():
        originals.setdefault(copy, original)
    return all(torch.equal(matrix[copy], matrix[original]) for copy, original in originals.items())


def _sum_pairs(read: Callable[[slice], NDArray[np.float64]], shape: tuple[int, ...], *, apart: bool) -> Tensor:
    """Return the pairwise sums over the float64 blocks of columns that `read` returns."""
    kernel, width = pair_sums("float64"), max(64, CACHED // max(1, shape[0]) // 64 * 64)

    def add(stripe: slice, sums: NDArray[np.float64]) -> None:
        for columns in _cut(stripe, width):
            kernel(read(columns), apart, 0, columns.stop - columns.start, sums)

    return _add_up(add, shape)


def _add_up(add: Callable[[slice, NDArray[np.float64]], None], shape: tuple[int, ...]) -> Tensor:
    """Return the symmetric matrix whose lower triangle `add` accumulates, one stripe of columns at a time.

    The stripes, and so the sums, do not depend on the number of threads.
    """
    rows, columns = shape

    def summed(stripe: slice) -> NDArray[np.float64]:
        sums = np.zeros((rows + rows % 2,) * 2)
        add(stripe, sums)
        return sums[:rows, :rows]

    stripes = _cut(slice(0, columns), max(CELLS // max(1, rows), -(-columns // STRIPES), 1))
    lower = torch.from_numpy(sum(in_threads(summed, stripes), np.zeros((rows, rows)))).tril_()
    return lower + lower.tril(-1).T


def neighbor_scores(distances: Tensor, neighbors: int) -> Tensor:
    """Return each row's sum of its `neighbors` smallest distances to other rows: the Krum score."""
    return distances.sort(dim=1).values[:, 1 : 1 + neighbors].sum(dim=1)


class KrumScore(NamedTuple):
    """A form of the Krum score: the sum of a row's distances to its n - f - `apart` nearest other rows.

    n is the number of rows and f the assumed number of malicious rows.
    """

    apart: int
    is_squared: bool
    """Whether squared distances are summed."""
    is_bounded: bool
    """Whether f must satisfy 2f + 2 < n."""

    def limit(self, rows: int) -> int:
        """Return the largest f supported with this number of rows."""
        return max(0, (rows - 3) // 2) if self.is_bounded else rows

    def neighbors(self, rows: int, malicious: int) -> int:
        """Return the number of neighbors counted; a number below 1 is interpreted as the end of a Python slice."""
        return rows - malicious - self.apart

    def scores(self, squares: Tensor, neighbors: int) -> Tensor:
        """Return each row's score, given the squared distances."""
        return neighbor_scores(squares if self.is_squared else squares.sqrt(), neighbors)


PUBLISHED = KrumScore(apart=2, is_squared=True, is_bounded=True)
"""Blanchard et al. (2017): 2f + 2 < n is the condition of proposition 4.2."""
RELEASED = KrumScore(apart=3, is_squared=False, is_bounded=False)
"""The public code of the RL attack's authors (Li et al., 2022): `sorted(distances)[1 : n - 2 - f]`, for any f."""


def choose_rows(rows: Tensor, new: Tensor, *, old: Tensor) -> Tensor:
    """Return the new values in the rows that are true, and the old values in the others."""
    return new.where(rows.view(-1, *(1,) * (new.ndim - 1)), old)
