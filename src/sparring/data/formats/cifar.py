"""The binary CIFAR format: records of one or more label bytes and 3072 pixel bytes, channel by channel, row by row."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sparring.errors import DataError

Bytes = NDArray[np.uint8]

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32


def read_cifar(label: str, content: bytes, *, examples: int, classes: Sequence[int]) -> tuple[Bytes, Bytes]:
    """Return the images `[examples, 3, 32, 32]` and one column of labels per entry of `classes`.

    `label` names the content in error messages.
    """
    columns = len(classes)
    record = columns + PIXELS
    if len(content) != examples * record:
        raise DataError(f"{label}: it has {len(content)} bytes; {examples} records have {examples * record}")
    records = np.frombuffer(content, np.uint8).reshape(examples, record)
    for column, number in zip(records[:, :columns].T, classes, strict=True):
        _check(label, column, classes=number)
    return records[:, columns:].reshape(examples, *SHAPE), records[:, :columns]


def _check(label: str, labels: Bytes, *, classes: int) -> None:
    if labels.max() >= classes:
        wrong = int(labels.argmax())
        raise DataError(f"{label}: record {wrong} has label {labels[wrong]}; it must be 0 to {classes - 1}")
