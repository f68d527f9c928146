"""Snapshots of a long computation on disk: the latest and the previous one; damaged ones are ignored.

The name of a file consists of the progress of the computation and the digest of the content.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sparring.experiments.jobs.atomic_files import translate_os_errors, write
from sparring.snapshot import Snapshot

SUFFIX = ".snapshot.safetensors"
KEPT = 2
DIGITS = 16
"""The number of digest digits in a file name."""


def save_snapshot(folder: Path, packed: Snapshot, *, progress: int) -> None:
    """Save a snapshot taken at `progress`, such as a number of steps, and keep the previous one."""
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in packed.tensors.items()}
    content = save(tensors, {"numbers": json.dumps(packed.numbers)})
    write(folder / f"{progress:012d}-{_digest(content)}{SUFFIX}", content)
    for _, path in list(_files(folder))[KEPT:]:
        with translate_os_errors(path):
            path.unlink(missing_ok=True)


def latest_snapshot(folder: Path) -> Snapshot | None:
    """Return the latest undamaged snapshot."""
    for _, path in _files(folder):
        try:
            if _digest(path.read_bytes()) in path.name:
                return _read(path)
        except (OSError, SafetensorError):
            continue
    return None


def latest_part(folder: Path, name: str) -> tuple[Snapshot | None, Mapping[str, Any]]:
    """Return the latest snapshot with only the numbers under `name`, and all of its numbers."""
    found = latest_snapshot(folder)
    return (None, {}) if found is None else (Snapshot(found.tensors, found.numbers[name]), found.numbers)


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


def _read(path: Path) -> Snapshot:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (a file is not a mapping)
        return Snapshot(tensors, json.loads(file.metadata()["numbers"]))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
