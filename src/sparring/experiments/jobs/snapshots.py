"""Where a long computation stands, on disk: the newest snapshot and the one before, each whole or not used.

A file is called by how far the computation was and by the digest of what it holds.
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
"""How many digits of its digest a file is called by."""


def save_snapshot(folder: Path, packed: Snapshot, *, place: int) -> None:
    """Save a snapshot taken at `place`, the more the later; the one before is kept."""
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in packed.tensors.items()}
    content = save(tensors, {"numbers": json.dumps(packed.numbers)})
    write(folder / f"{place:012d}-{_digest(content)}{SUFFIX}", content)
    for _, path in list(_files(folder))[KEPT:]:
        with translate_os_errors(path):
            path.unlink(missing_ok=True)


def latest_snapshot(folder: Path) -> Snapshot | None:
    """Return the newest snapshot that is whole."""
    for _, path in _files(folder):
        try:
            if _digest(path.read_bytes()) in path.name:
                return _read(path)
        except (OSError, SafetensorError):
            continue
    return None


def latest_part(folder: Path, name: str) -> tuple[Snapshot | None, Mapping[str, Any]]:
    """Return the newest snapshot with the numbers under `name` alone, and all of its numbers."""
    found = latest_snapshot(folder)
    return (None, {}) if found is None else (Snapshot(found.tensors, found.numbers[name]), found.numbers)


def latest_place(folder: Path) -> int:
    """Return how far the newest snapshot says that the computation is."""
    return next((place for place, _ in _files(folder)), 0)


def drop_snapshots(folder: Path) -> None:
    """Remove all snapshots: what they led to is done."""
    for _, path in list(_files(folder)):
        with translate_os_errors(path):
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the snapshots in a folder, newest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True):
        yield int(path.name.partition("-")[0]), path


def _read(path: Path) -> Snapshot:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (a file is no mapping)
        return Snapshot(tensors, json.loads(file.metadata()["numbers"]))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
