"""The records of a run, `rounds.jsonl`: one compact JSON object per round, without times and paths."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.records import Record

CHUNK = 1 << 20

Read = TypeVar("Read")


class Mark(NamedTuple):
    """The extent of the records: their length in bytes, and the SHA-256 of these bytes."""

    size: int
    sha256: str


class Journal:
    """The records of a run in progress: the file is truncated to `size` bytes, and new records are appended."""

    def __init__(self, path: Path, size: int = 0) -> None:
        self.path = path
        with translate_os_errors(path):
            # Unbuffered: a line that does not fit on the disk is not written again when the file is closed.
            self._file = path.open("ab", buffering=0)
            self._file.truncate(size)
            self._digest = _digest(path, size)
        self._size = size

    def append(self, record: Record) -> None:
        """Append a record as a line."""
        line = memoryview(_line(record))
        self._digest.update(line)
        self._size += len(line)
        with translate_os_errors(self.path):
            while line:
                line = line[self._file.write(line) :]

    def mark(self) -> Mark:
        """Wait until the records have reached the disk, and return their extent."""
        with translate_os_errors(self.path):
            os.fsync(self._file.fileno())
        return Mark(self._size, self._digest.hexdigest())

    def close(self) -> None:
        self._file.close()


def holds(path: Path, mark: Mark) -> bool:
    """Return whether a file begins with the records that `mark` describes."""
    try:
        return path.stat().st_size >= mark.size and _digest(path, mark.size).hexdigest() == mark.sha256
    except OSError:
        return False


def read_records(path: Path, kind: type[Read]) -> Iterator[Read]:
    """Yield the records of a class in a file, except for an incomplete last line."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield kind(**{key: _value(value) for key, value in json.loads(line).items()})


def read_curve(path: Path) -> tuple[list[tuple[int, float]], int]:
    """Return the accuracies by round in the records of any kind of training, and the last round in them."""
    with path.open("rb") as file:
        records = [json.loads(line) for line in file if line.endswith(b"\n")]
    curve = [(record["round"], record["accuracy"]) for record in records if record.get("accuracy") is not None]
    return curve, records[-1]["round"] if records else 0


def _line(record: Any) -> bytes:
    """Format a record without the fields that are None; the fields keep their order."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    present = {name: value for name, value in values.items() if value is not None}
    return json.dumps(present, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _digest(path: Path, size: int) -> "hashlib._Hash":
    """Start the digest of a file with its first `size` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (part := file.read(min(CHUNK, size))):
            digest.update(part)
            size -= len(part)
    return digest
