"""Arrays and the few operations on rows that every layer shares."""

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
"""A float32 tensor with one row a client, `[clients, parameters]`."""
FloatArray = NDArray[np.float32]
"""What a policy sees, and what it answers, `[numbers]`."""

BLOCK = 1 << 16
"""Columns worked on at once where a whole matrix in float64 would not fit."""
CELLS = 1 << 19
"""Values worked on at once where a block of columns should stay in cache, whatever the number of rows."""
CACHED = 1 << 16
"""Float64 values worked on at once where every row is read many times over: half of a core's own cache."""
FAINT = 1e-24
"""A squared distance below which squares of float32 differences may have vanished."""
WIDE = 250
"""The most characters by which its owner's `repr` shows a value."""
SHOWN = 10
"""The most elements of a list that its owner's `repr` shows one by one."""
STRIPES = 16
"""The most parts, with a result each, that threads share: enough for threads that are not equally fast."""

Result = TypeVar("Result")
Record = TypeVar("Record")


def briefly(record: Any) -> str:
    """Return a dataclass or a named tuple in a line or two: of arrays their form, of long lists how many they hold."""
    names = getattr(record, "_fields", None) or [field.name for field in fields(record) if field.repr]
    shown = ", ".join(f"{name}={_brief(getattr(record, name))}" for name in names)
    return f"{type(record).__name__}({shown})"


def _brief(value: Any) -> str:
    is_group = isinstance(value, Sequence | Mapping | Set) and not isinstance(value, str)
    if not is_group or len(value) <= SHOWN:
        written = _written(value)
        if len(written) <= WIDE and "\n" not in written:
            return written
    return f"<{type(value).__name__} of {len(value)}>" if is_group else f"<{type(value).__name__}>"


def _written(value: Any) -> str:
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
    """Scale bytes to [0, 1]; floats are already there."""
    return inputs.float().div_(255) if inputs.dtype == torch.uint8 else inputs


def in_chunks(tensor: Tensor, largest: int) -> tuple[Tensor, ...]:
    """Cut along the first dimension into as few parts of at most `largest` as there can be, none of them a small rest.

    A model that normalizes over examples sees about as many of them in each part.
    """
    return tensor.tensor_split(max(1, -(-len(tensor) // largest)))


def on_device(value: Any, device: torch.device | str) -> Any:
    """Return a tensor on a device, or a batch or a mapping of tensors; anything else as it is."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Batch):
        return Batch(value.inputs.to(device), value.labels.to(device))
    if isinstance(value, Mapping):
        return {key: on_device(each, device) for key, each in value.items()}
    return value


def moved(record: Record, device: torch.device | str) -> Record:
    """Return a frozen dataclass whose tensors lie on a device."""
    own = {field.name: getattr(record, field.name) for field in fields(record) if field.init}  # type: ignore[arg-type]
    return replace(record, **{name: on_device(value, device) for name, value in own.items()})  # type: ignore[type-var]


def is_finite(tensor: Tensor) -> bool:
    """Say whether every value is finite, in one pass and without a temporary as large as `tensor`."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def finite_rows(matrix: Matrix) -> Tensor:
    """Return which rows hold only finite values, as a boolean per row."""
    # A sum that overflows is looked at again.
    finite = torch.isfinite(matrix.sum(dim=1))
    for row in (~finite).nonzero().flatten().tolist():
        finite[row] = torch.isfinite(matrix[row]).all()
    return finite


def row_norms(matrix: Matrix) -> Tensor:
    """Return the Euclidean norm of each row in float64, right for values up to 1e38."""
    parts = [torch.linalg.vector_norm(block, dim=1).double() for block in matrix.split(BLOCK, dim=1)]
    norms: Tensor = torch.linalg.vector_norm(torch.stack(parts), dim=0)
    doubtful = ~torch.isfinite(norms) | (norms < 1e-15)
    for row in doubtful.nonzero().flatten().tolist():
        norms[row] = torch.linalg.vector_norm(matrix[row].double())
    return norms


def column_blocks(matrix: Matrix) -> Iterator[slice]:
    """Cut the columns into blocks of about `CELLS` values."""
    return _cut(slice(0, matrix.shape[1]), max(1, CELLS // max(1, len(matrix))))


def _cut(columns: slice, width: int) -> Iterator[slice]:
    starts = range(columns.start, columns.stop, width)
    return (slice(start, min(start + width, columns.stop)) for start in starts)


def in_threads(work: Callable[[slice], Result], parts: Iterable[slice]) -> list[Result]:
    """Do `work`, which lets go of Python's lock, on every part, with as many threads as torch is set to use.

    The caller is one of them: where the others find no free core, it waits for none that has not begun. For less than
    two parts a thread none is woken.
    """
    pieces = list(parts)
    results: dict[int, Result] = {}
    queue = iter(range(len(pieces)))

    def take() -> None:
        for place in queue:
            results[place] = work(pieces[place])

    threads = min(torch.get_num_threads(), len(pieces) // 2)
    helpers = [_pool(threads - 1, os.getpid()).submit(take) for _ in range(threads - 1)]
    take()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    return [results[place] for place in range(len(pieces))]


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Return threads that were started before, since starting one takes long; a forked `process` inherits none."""
    return ThreadPoolExecutor(threads, thread_name_prefix=f"columns-{process}")


def gram(matrix: Matrix, center: Vector) -> Tensor:
    """Return the `[rows, rows]` inner products, in float64, of the rows' offsets from `center`."""
    if not in_main_memory(matrix):
        return gram_by_torch(matrix, center)
    values, origin = np.ascontiguousarray(matrix.numpy(force=True)), center.numpy(force=True)

    def offsets(columns: slice) -> NDArray[np.float64]:
        block: NDArray[np.float64] = np.subtract(values[:, columns], origin[columns], dtype=np.float64)
        return block

    return _doubled_sums(offsets, values.shape, apart=False)


def squared_distances(matrix: Matrix) -> Tensor:
    """Return the `[rows, rows]` squared distances in float64, right also for close rows far from zero and up to 1e38.

    Differences are squared and added up, so that nothing cancels: a run of columns in float32, which is right to 1e-6
    of each distance, and the runs in float64. Where that overflows or vanishes, all is measured again in float64.
    """
    if not in_main_memory(matrix):
        return squared_distances_by_torch(matrix)
    values = np.ascontiguousarray(matrix.numpy(force=True))
    kernel = pair_sums(values.dtype.name)
    distances = _added(lambda columns, sums: kernel(values, True, columns.start, columns.stop, sums), values.shape)
    if not _is_sure(distances, matrix):
        distances = _doubled_sums(lambda columns: values[:, columns].astype(np.float64), values.shape, apart=True)
    return distances


def in_main_memory(tensor: Tensor) -> bool:
    """Say whether compiled loops can read a tensor; on another device torch's own operations take their place."""
    return tensor.device.type == "cpu"


def gram_by_torch(matrix: Matrix, center: Vector) -> Tensor:
    """Return what `gram` does, on any device."""
    total = matrix.new_zeros(len(matrix), len(matrix), dtype=torch.float64)
    for columns in column_blocks(matrix):
        offsets = matrix[:, columns].double() - center[columns].double()
        total += offsets @ offsets.T
    return total


def squared_distances_by_torch(matrix: Matrix) -> Tensor:
    """Return what `squared_distances` does, on any device: differences are squared and added up in float64."""
    total = matrix.new_zeros(len(matrix), len(matrix), dtype=torch.float64)
    for columns in column_blocks(matrix):
        block = matrix[:, columns].double()
        total += torch.cdist(block, block, compute_mode="donot_use_mm_for_euclid_dist").square_()
    return total


def _is_sure(distances: Tensor, matrix: Matrix) -> bool:
    """Say whether all distances are finite, and small enough for squares to have vanished only between equal rows."""
    if not torch.isfinite(distances).all():
        return False
    originals: dict[int, int] = {}
    for copy, original in (distances < FAINT).tril(-1).nonzero().tolist():
        originals.setdefault(copy, original)
    return all(torch.equal(matrix[copy], matrix[original]) for copy, original in originals.items())


def _doubled_sums(read: Callable[[slice], NDArray[np.float64]], shape: tuple[int, ...], *, apart: bool) -> Tensor:
    """Return the pairs' sums of what `read` makes of a cached block of columns in float64."""
    kernel, width = pair_sums("float64"), max(64, CACHED // max(1, shape[0]) // 64 * 64)

    def add(stripe: slice, sums: NDArray[np.float64]) -> None:
        for columns in _cut(stripe, width):
            kernel(read(columns), apart, 0, columns.stop - columns.start, sums)

    return _added(add, shape)


def _added(add: Callable[[slice, NDArray[np.float64]], None], shape: tuple[int, ...]) -> Tensor:
    """Return the symmetric matrix of which `add` adds a stripe of columns to the lower triangle.

    Where stripes are cut does not depend on the number of threads, nor do the sums.
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
    """Return each row's sum of its `neighbors` smallest distances to others, the score of Krum."""
    return distances.sort(dim=1).values[:, 1 : 1 + neighbors].sum(dim=1)


class KrumScore(NamedTuple):
    """A form of Krum's score: the sum of a row's distances to its n - f - `apart` nearest others.

    n is the number of rows and f how many of them are assumed to be malicious.
    """

    apart: int
    is_squared: bool
    """Whether the squares of the distances are added up."""
    is_bounded: bool
    """Whether f must satisfy 2f + 2 < n."""

    def limit(self, rows: int) -> int:
        """Return the largest f that a number of rows can bear."""
        return max(0, (rows - 3) // 2) if self.is_bounded else rows

    def neighbors(self, rows: int, malicious: int) -> int:
        """Return how many others count; a number below 1 is read as Python reads the end of a slice."""
        return rows - malicious - self.apart

    def scores(self, squares: Tensor, neighbors: int) -> Tensor:
        """Return each row's score, given the squared distances."""
        return neighbor_scores(squares if self.is_squared else squares.sqrt(), neighbors)


PUBLISHED = KrumScore(apart=2, is_squared=True, is_bounded=True)
"""Blanchard et al. (2017): 2f + 2 < n is the condition of proposition 4.2."""
RELEASED = KrumScore(apart=3, is_squared=False, is_bounded=False)
"""The public code of the RL attack's authors (Li et al., 2022): `sorted(distances)[1 : n - 2 - f]`, for any f."""


def choose_rows(rows: Tensor, new: Tensor, *, old: Tensor) -> Tensor:
    """Return the new values in the rows that are true, and the old ones in the others."""
    return new.where(rows.view(-1, *(1,) * (new.ndim - 1)), old)
