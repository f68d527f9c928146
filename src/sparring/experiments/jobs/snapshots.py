"""Snapshots of a long computation on disk: the latest and the previous one; damaged ones are ignored.

The name of a file consists of the progress of the computation and the digest of the content.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from sparring.experiments.jobs.atomic_files import translate_os_errors, write
from sparring.models.tensor_file import read_tensors, tensor_bytes
from sparring.snapshot import Snapshot

SUFFIX = ".snapshot.safetensors"
KIND = "numbers"
KEPT = 2
DIGITS = 16
"""The number of digest digits in a file name."""


def save_snapshot(folder: Path, packed: Snapshot, *, progress: int) -> None:
    """Save a snapshot taken at `progress`, such as a number of steps, and keep the previous one."""
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    content = tensor_bytes(KIND, described=packed.numbers, tensors=packed.tensors)
    write(folder / f"{progress:012d}-{_digest(content)}{SUFFIX}", content)
    for _, path in list(_files(folder))[KEPT:]:
        with translate_os_errors(path):
            path.unlink(missing_ok=True)


def latest_snapshot(folder: Path) -> Snapshot | None:
    """Return the latest undamaged snapshot."""
    for _, path in _files(folder):
        try:
            if _digest(path.read_bytes()) in path.name:
                described, tensors = read_tensors(path, KIND)
                return Snapshot(tensors, described)
        except (OSError, SafetensorError):
            continue
    return None


def latest_progress(folder: Path) -> int:
    """Return the progress of the latest snapshot; 0 without a snapshot."""
    return next((progress for progress, _ in _files(folder)), 0)


def drop_snapshots(folder: Path) -> None:
    """Remove all snapshots, when the computation is complete."""
    for _, path in list(_files(folder)):
        with translate_os_errors(path):
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the snapshots in a folder, newest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True):
        yield int(path.name.partition("-")[0]), path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
