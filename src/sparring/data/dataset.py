"""A data set: labeled examples for training, testing and, optionally, validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Protocol

import torch
from torch import Tensor

from sparring.arrays import Batch, briefly, is_finite
from sparring.errors import ConfigError, DataError
from sparring.random import Generator


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """Examples in their stored form: uint8 images `[examples, channels, height, width]`, or float32 of any shape.

    Float images lie in [0, 1]. `mean` and `std` are those of the training inputs on that scale: one value per channel
    of images, a single value for anything else.
    """

    name: str
    train: Batch
    test: Batch
    validation: Batch | None = None
    classes: int
    class_names: tuple[str, ...] = ()
    """The names of the classes, in the order of their labels, if known."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise DataError(f"{self.name}: classes is {self.classes}; it must be at least 2")
        if len(self.class_names) not in (0, self.classes):
            raise DataError(
                f"{self.name}: {len(self.class_names)} class names are given; it has {self.classes} classes"
            )
        splits = {"train": self.train, "test": self.test}
        if self.validation is not None:
            splits["validation"] = self.validation
        for split, batch in splits.items():
            _check_inputs(f"{self.name}: {split} inputs", batch.inputs)
            _check_labels(f"{self.name}: {split} labels", batch, classes=self.classes)
            self._check_like_train(split, batch.inputs)
        self._check_moments()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.train.inputs.shape[1:])

    def _check_like_train(self, split: str, inputs: Tensor) -> None:
        shape = tuple(inputs.shape[1:])
        if shape != self.shape or inputs.dtype != self.train.inputs.dtype:
            raise DataError(
                f"{self.name}: {split} examples are {inputs.dtype} {shape}; "
                f"train examples are {self.train.inputs.dtype} {self.shape}; they must be alike"
            )

    def _check_moments(self) -> None:
        channels = self.shape[0] if len(self.shape) == 3 else 1
        if not len(self.mean) == len(self.std) == channels:
            given = f"{len(self.mean)} means and {len(self.std)} deviations"
            raise DataError(f"{self.name}: {given} are given; its examples have {channels} channel(s)")
        if not all(isfinite(value) for value in self.mean + self.std) or min(self.std) <= 0:
            raise DataError(f"{self.name}: mean {self.mean} and std {self.std} must be finite, and std positive")


class Source(Protocol):
    """A loader of a data set; its fields are its options."""

    def load(self) -> Dataset:
        """Return the data set; read or download the files that it needs."""


def _check_inputs(label: str, inputs: Tensor) -> None:
    is_image = inputs.ndim == 4
    is_bytes = inputs.dtype == torch.uint8
    if not (is_bytes and is_image) and not (inputs.dtype == torch.float32 and inputs.ndim >= 2):
        raise DataError(
            f"{label} are {inputs.dtype} {tuple(inputs.shape)}; "
            "give uint8 images [examples, channels, height, width] or float32 [examples, ...]"
        )
    if inputs.numel() == 0:
        raise DataError(f"{label} are empty, {tuple(inputs.shape)}; give at least one example")
    if not is_bytes:
        _check_floats(label, inputs, is_image=is_image)


def _check_floats(label: str, inputs: Tensor, *, is_image: bool) -> None:
    if not is_finite(inputs):
        raise DataError(f"{label} hold NaN or infinite values; drop or replace them")
    low, high = (bound.item() for bound in inputs.aminmax())
    if is_image and not 0 <= low <= high <= 1:
        said = f"{label} run from {low:g} to {high:g}; scale float images to [0, 1] or give uint8"
        raise DataError(f"{said}, and flatten inputs that are not images to three dimensions")


def _check_labels(label: str, batch: Batch, *, classes: int) -> None:
    labels = batch.labels
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise DataError(f"{label} are {labels.dtype} {tuple(labels.shape)}; give int64 [examples]")
    if len(labels) != len(batch.inputs):
        raise DataError(f"{label} number {len(labels)}; there are {len(batch.inputs)} inputs")
    low, high = (bound.item() for bound in labels.aminmax())
    if low < 0 or high >= classes:
        raise DataError(f"{label} run from {low} to {high}; with {classes} classes they must be 0 to {classes - 1}")


def with_validation(dataset: Dataset, share: float, *, rng: Generator) -> Dataset:
    """Move a random fraction `share` of the training examples to a validation split; keep mean and std."""
    examples = len(dataset.train.labels)
    if not 0 <= share < 1:
        raise ConfigError(f"validation is {share}; it must be at least 0 and below 1")
    if share == 0:
        return dataset
    held = round(share * examples)
    if not 0 < held < examples:
        raise ConfigError(f"validation is {share}, that is {held} of {examples} examples; leave some on either side")
    if dataset.validation is not None:
        raise ConfigError(f"validation is {share}; {dataset.name!r} already has a validation split: use 0")
    return _hold_out(dataset, held, rng=rng)


def hold_out(dataset: Dataset, count: int, *, rng: Generator) -> Dataset:
    """Return the data set with `count` validation examples: of its own split, or else of its training examples."""
    own = dataset.validation
    if own is not None and count <= len(own.labels):
        rows = torch.from_numpy(rng.choice(len(own.labels), count, replace=False)).sort().values
        return replace(dataset, validation=Batch(own.inputs[rows], own.labels[rows]))
    examples = len(dataset.train.labels)
    if own is not None or not 0 < count < examples:
        present = examples if own is None else len(own.labels)
        raise ConfigError(f"data.validation is {count}; {dataset.name!r} has {present} examples to hold out from")
    return _hold_out(dataset, count, rng=rng)


def take_examples(dataset: Dataset, count: int, *, rng: Generator) -> Dataset:
    """Return the data set with `count` of its training examples, drawn at random; mean and std stay."""
    examples = len(dataset.train.labels)
    if not 0 < count <= examples:
        raise ConfigError(f"data.train is {count}; {dataset.name!r} has {examples} training examples left")
    chosen = torch.zeros(examples, dtype=torch.bool)
    chosen[torch.from_numpy(rng.choice(examples, count, replace=False))] = True
    return replace(dataset, train=_select(dataset.train, chosen))


def keep_classes(dataset: Dataset, classes: Sequence[int]) -> Dataset:
    """Return the data set with these classes alone, relabeled from 0 in this order; mean and std stay."""
    for label in classes:
        if not 0 <= label < dataset.classes:
            raise ConfigError(f"data.only has class {label}; {dataset.name!r} has classes 0 to {dataset.classes - 1}")
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ConfigError(f"data.only is {list(classes)}; name at least two different classes")
    new = torch.full((dataset.classes,), -1)
    new[list(classes)] = torch.arange(len(classes))

    def keep(batch: Batch) -> Batch:
        kept = _select(batch, new[batch.labels] >= 0)
        return Batch(kept.inputs, new[kept.labels])

    return replace(
        dataset,
        train=keep(dataset.train),
        test=keep(dataset.test),
        validation=None if dataset.validation is None else keep(dataset.validation),
        classes=len(classes),
        class_names=tuple(dataset.class_names[label] for label in classes) if dataset.class_names else (),
    )


def _hold_out(dataset: Dataset, count: int, *, rng: Generator) -> Dataset:
    """Move `count` random training examples to the validation split."""
    chosen = torch.zeros(len(dataset.train.labels), dtype=torch.bool)
    chosen[torch.from_numpy(rng.choice(len(chosen), count, replace=False))] = True
    return replace(dataset, train=_select(dataset.train, ~chosen), validation=_select(dataset.train, chosen))


def _select(batch: Batch, chosen: Tensor) -> Batch:
    rows = chosen.nonzero().flatten()
    return Batch(batch.inputs.index_select(0, rows), batch.labels.index_select(0, rows))
