"""Conversion of the user's own arrays (numpy, torch, pandas or lists) to a data set."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from sparring.arrays import Batch
from sparring.data.dataset import Dataset
from sparring.data.normalization import Moments, moments
from sparring.errors import DataError

Pair: TypeAlias = "tuple[ArrayLike | Tensor, ArrayLike | Tensor]"
"""Inputs and their labels; a string, because the expanded type would fill a screen where it is printed."""

NUMBERS = "give numbers that torch knows, such as float32"
CODES = "give numbers from 0; numpy.searchsorted(sorted_names, labels) converts names"


def from_arrays(
    name: str,
    *,
    train: Pair,
    test: Pair,
    validation: "Pair | None" = None,
    classes: int | None = None,
    normalization: Moments | None = None,
) -> Dataset:
    """Make a data set from tensors or anything numpy accepts, without copies where dtype and layout allow.

    Bytes are images, `[examples, (channels,) height, width]`. Floats are images if they have such a shape and lie in
    [0, 1]; with three dimensions and other values they are series, `[examples, channels, time]`, and anything else
    keeps its shape. Labels are whole numbers from 0. By default the classes are counted from the labels, and the
    normalization is computed from the training inputs.
    """
    pairs = {"train": train, "test": test} | ({} if validation is None else {"validation": validation})
    splits = _with_channels(name, {split: _batch(f"{name}: {split}", pair) for split, pair in pairs.items()})
    mean, std = moments(splits["train"].inputs) if normalization is None else normalization
    return Dataset(
        name=name,
        train=splits["train"],
        test=splits["test"],
        validation=splits.get("validation"),
        classes=_count_classes(*splits.values()) if classes is None else classes,
        mean=tuple(np.atleast_1d(mean).tolist()),
        std=tuple(np.atleast_1d(std).tolist()),
    )


def _count_classes(*splits: Batch) -> int:
    return 1 + max(int(split.labels.max()) for split in splits)


def _batch(label: str, pair: Pair) -> Batch:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{label} is one {type(pair).__name__}; give a pair of inputs and labels")
    inputs, labels = pair
    batch = Batch(_inputs(f"{label} inputs", inputs), _labels(f"{label} labels", labels))
    if min(batch.inputs.numel(), batch.labels.numel()) == 0:
        raise DataError(f"{label} split is empty; at least one example is needed")
    return batch


def _inputs(label: str, array: ArrayLike | Tensor) -> Tensor:
    tensor = _tensor(label, array, remedy=NUMBERS)
    if tensor.dtype != torch.uint8 and not tensor.is_floating_point():
        raise DataError(f"{label} are {tensor.dtype}; give uint8 images or floats")
    if tensor.ndim == 4 and tensor.shape[3] in (1, 3) and tensor.shape[1] > 4:
        raise DataError(f"{label} are {list(tensor.shape)}, channels last; give [examples, channels, height, width]")
    return tensor if tensor.dtype == torch.uint8 else tensor.float()


def _with_channels(name: str, splits: Mapping[str, Batch]) -> dict[str, Batch]:
    """Add a channel dimension to grayscale images; series have the same shape but other values than float images."""
    flat = {split: batch for split, batch in splits.items() if batch.inputs.ndim == 3}
    if any(_is_series(f"{name}: {split} inputs", batch.inputs) for split, batch in flat.items()):
        return dict(splits)
    return {**splits, **{split: Batch(batch.inputs.unsqueeze(1), batch.labels) for split, batch in flat.items()}}


def _is_series(label: str, inputs: Tensor) -> bool:
    if inputs.dtype == torch.uint8:
        return False
    low, high = (bound.item() for bound in inputs.aminmax())
    if 0 <= low <= high <= 1:
        return False
    if 0 <= low <= high <= 255 and torch.equal(inputs, inputs.round()):
        said = f"{label} are {list(inputs.shape)}, whole numbers from {low:g} to {high:g}"
        raise DataError(f"{said}; divide images by 255 or give uint8, and subtract the mean from series")
    return True


def _labels(label: str, array: ArrayLike | Tensor) -> Tensor:
    numbers = array if isinstance(array, Tensor) else _as_numbers(_to_numpy(label, array))
    tensor = _tensor(label, numbers, remedy=CODES)
    if tensor.ndim > 1 and tensor.shape[1:].numel() != 1:
        given = f"{tensor.dtype} {tuple(tensor.shape)}"
        raise DataError(f"{label} are {given}; give one number per example, such as the argmax of one-hot rows")
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise DataError(f"{label} are {tensor.dtype}; give integers from 0")
    flat = tensor.flatten()
    whole = flat.long()
    is_wrong = whole < 0
    if flat.is_floating_point():
        is_wrong |= whole != flat
    if is_wrong.any():
        raise DataError(f"{label} are {tensor.dtype}; give integers from 0, not {flat[is_wrong][0].item():g}")
    return whole


def _tensor(label: str, array: ArrayLike | Tensor, *, remedy: str) -> Tensor:
    if isinstance(array, Tensor):
        return array.detach().to_dense().cpu()
    known = _to_numpy(label, array)
    native = known.astype(known.dtype.newbyteorder("="), copy=False)
    try:
        return torch.from_numpy(np.require(native, requirements=["C", "W"]))
    except TypeError:
        raise DataError(f"{label} are {known.dtype}; {remedy}") from None


def _to_numpy(label: str, array: ArrayLike) -> NDArray[Any]:
    """Convert rows, tables and the like to a numpy array."""
    try:
        known = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        given = f"{label} are a {type(array).__name__} that numpy cannot convert to an array ({reason})"
        raise DataError(f"{given}; give rows of numbers, all of one length") from None
    if np.ma.is_masked(array):
        raise DataError(f"{label} have masked values; drop or replace them")
    return known


def _as_numbers(known: NDArray[Any]) -> NDArray[Any]:
    """Convert an object array that holds only numbers, as mixed tables do, to floats."""
    if known.dtype != object:
        return known
    are_numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in known.flat)
    return known.astype(np.float64) if are_numbers else known
