"""Data sets loaded once for all workers: each worker maps the same file into memory, copy-on-write."""

import hashlib
import json
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock

from sparring.arrays import Batch
from sparring.data import Dataset
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import translate_os_errors, write
from sparring.models.tensor_file import read_tensors, tensor_bytes
from sparring.training import release_freed_memory

KIND = "dataset"
SPLITS = ("train", "test", "validation")


class Once:
    """A cache of data sets in memory: each is loaded at its first use."""

    def __init__(self) -> None:
        self._held: list[tuple[Section, Dataset]] = []

    def __call__(self, section: Section, load: Callable[[], Dataset]) -> Dataset:
        found = [dataset for known, dataset in self._held if known == section]
        if not found:
            found = [load()]
            self._held.append((section, found[0]))
        return found[0]

    def hand_to(self, shared: "SharedData") -> None:
        """Move all data sets into a folder."""
        while self._held:
            section, dataset = self._held.pop()
            shared(section, partial(copy, dataset))


@dataclass(frozen=True)
class SharedData:
    """A cache of data sets in a folder; the first process that needs a data set loads it while the others wait."""

    folder: Path

    def __call__(self, section: Section, load: Callable[[], Dataset]) -> Dataset:
        path = self.folder / f"{_key(section)}.safetensors"
        with translate_os_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path.with_suffix(".lock"))
            lock.acquire()
        try:
            if not path.exists():
                dataset = load()
                if not isinstance(dataset, Dataset):
                    return dataset  # rejected by the caller
                save_dataset(path, dataset)
                del dataset
                release_freed_memory()
        finally:
            lock.release()
        return map_dataset(path)


def save_dataset(path: Path, dataset: Dataset) -> None:
    splits = {split: getattr(dataset, split) for split in SPLITS if getattr(dataset, split) is not None}
    tensors = {f"{split}.{part}": tensor for split, batch in splits.items() for part, tensor in batch._asdict().items()}
    facts = {name: getattr(dataset, name) for name in ("name", "classes", "class_names", "mean", "std")}
    write(path, tensor_bytes(KIND, described=facts, tensors=tensors))


def map_dataset(path: Path) -> Dataset:
    """Return the data set in a file; examples are read on demand, and changes to them do not affect the file."""
    facts, tensors = read_tensors(path, KIND)
    splits: dict[str, Any] = {
        split: Batch(*(tensors[f"{split}.{part}"] for part in Batch._fields))
        for split in SPLITS
        if f"{split}.inputs" in tensors
    }
    facts.update({name: tuple(facts[name]) for name in ("class_names", "mean", "std")})
    return Dataset(**facts, **splits)


def _key(section: Section) -> str:
    return hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()[:12]
