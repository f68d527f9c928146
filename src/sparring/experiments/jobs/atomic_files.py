"""Files that are either there as a whole or not at all, and what to say where they cannot be written."""

import json
import os
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sparring.errors import SavingError, UnknownFolder

PARTIAL = ".partial"


@contextmanager
def translate_os_errors(path: Path) -> Iterator[None]:
    """Turn what a file system refuses into one line."""
    try:
        yield
    except OSError as error:
        reason = str(error.strerror).lower()
        raise SavingError(f"{path}: {reason}; make room or choose another folder, what was saved is intact") from error


def admit_writing(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to; nothing is left there."""
    with translate_os_errors(folder):
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with TemporaryFile(dir=nearest):
            pass


def refuse_other_files(folder: Path, known: Set[str], *, what: str) -> None:
    """Refuse a folder that holds more than `known` files; `what` says what it is not, and what to do."""
    with translate_os_errors(folder):
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not there <= known:
        raise UnknownFolder(f"{folder} is there and {what}")


def write(path: Path, content: bytes) -> None:
    """Put `content` in the place of what `path` holds, once it has reached the disk."""
    partial = path.with_name(path.name + PARTIAL)
    with translate_os_errors(path):
        try:
            partial.write_bytes(content)
            _sync(partial)
            partial.replace(path)
            _sync(path.parent)
        finally:
            partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write an indented JSON file."""
    write(path, json.dumps(content, indent=2, allow_nan=False).encode() + b"\n")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; one that is missing or damaged holds nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
