"""The IDX format of MNIST.

Two zero bytes, the type of the values (8 for bytes), the rank, each dimension as a big-endian int32, the values.
"""

import gzip
import io
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.errors import DataError

BYTES = 8
LIMIT = 1 << 30
"""The largest array size, in bytes, that a header may declare."""


def read_idx(path: Path, *, rank: int) -> NDArray[np.uint8]:
    """Read a file, gzipped if its name ends in .gz, that must hold an array of bytes with `rank` dimensions."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return parse_idx(str(path), stream, rank=rank)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from None


def parse_idx(label: str, stream: io.BufferedIOBase, *, rank: int) -> NDArray[np.uint8]:
    """Read an array from an open file, at most as many bytes as its header declares; `label` names it in errors."""
    shape = _shape(label, stream, rank=rank)
    values = np.empty(shape, np.uint8)
    held = stream.readinto(values.reshape(-1).data)
    if held < values.size:
        raise DataError(f"{label}: it ends after {held} of the {values.size} bytes that its header declares")
    if stream.read(1):
        raise DataError(f"{label}: it has more than the {values.size} bytes that its header declares")
    return values


def _shape(label: str, stream: io.BufferedIOBase, *, rank: int) -> tuple[int, ...]:
    length = 4 + 4 * rank
    header = stream.read(length)
    magic = bytes([0, 0, BYTES, rank])
    if header[:4] != magic:
        raise DataError(f"{label}: it starts with {header[:4].hex()}; an IDX file of rank {rank} has {magic.hex()}")
    if len(header) < length:
        raise DataError(f"{label}: it ends within its header of {length} bytes")
    shape = struct.unpack(f">{rank}I", header[4:])
    if not 0 < prod(shape) <= LIMIT:
        raise DataError(f"{label}: its header declares {shape} values; 1 to {LIMIT} are supported")
    return shape
