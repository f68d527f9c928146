"""Write files atomically, and report errors of the file system in one line."""

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
    """Convert an error of the file system into a `SavingError` of one line."""
    try:
        yield
    except OSError as error:
        reason = str(error.strerror).lower()
        raise SavingError(f"{path}: {reason}; make room or choose another folder, saved files are intact") from error


def admit_writing(folder: Path) -> None:
    """Reject a folder that cannot be created or written to; nothing is left behind."""
    with translate_os_errors(folder):
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with TemporaryFile(dir=nearest):
            pass


def refuse_other_files(folder: Path, known: Set[str], *, what: str) -> None:
    """Reject a folder with files other than `known`; `what` completes the message and gives the remedy."""
    with translate_os_errors(folder):
        present = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not present <= known:
        raise UnknownFolder(f"{folder} exists and {what}")


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, after `content` has reached the disk."""
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
    """Return the content of a JSON file; None if it is missing or damaged."""
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
