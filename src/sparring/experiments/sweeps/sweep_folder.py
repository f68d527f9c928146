"""The folder of a sweep: the plan, the runs, and the failures; no file depends on the time or on a path."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sparring.errors import UnknownFolder
from sparring.experiments.jobs.atomic_files import (
    PARTIAL,
    read_json,
    refuse_other_files,
    translate_os_errors,
    write_json,
)
from sparring.experiments.jobs.job import STOP, stop_file
from sparring.experiments.runs.run_folder import LOCK, RESULT, lock_folder
from sparring.experiments.sweeps.plan import Plan

NAME = "sweep.json"
FORMAT = 1
RUNS, FAILURES = "runs", "failures"
DATA = ".data"
"""The folder of shared data sets, which exists only while the sweep runs."""
POLICIES = "policies"
"""The folder of policies trained for the sweep."""
DIGITS = 12
"""The number of digest digits in the name of a run's folder."""


class RecordedCell(NamedTuple):
    """A cell of a sweep as recorded in its folder."""

    labels: Mapping[str, str]
    digest: str


class Failure(NamedTuple):
    """A run that raised an error."""

    labels: Mapping[str, str]
    digest: str
    error: str
    traceback: str | None


class Sweep(NamedTuple):
    """The content of a sweep folder."""

    folder: Path
    document: Mapping[str, Any]
    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[RecordedCell, ...]
    plugins: Mapping[str, str]
    preset: Mapping[str, str] | None
    failures: tuple[Failure, ...]


def run_folder(folder: Path, digest: str) -> Path:
    return folder / RUNS / digest[:DIGITS]


def read_result(folder: Path, digest: str) -> Mapping[str, Any] | None:
    """Return the result of a run; None if it is not complete."""
    result = read_json(run_folder(folder, digest) / RESULT)
    return result if isinstance(result, dict) and result.get("digest") == digest else None


def read_failure(folder: Path, digest: str) -> Failure | None:
    """Return the failure of a run; None if it did not fail or is complete by now."""
    if read_result(folder, digest) is not None:
        return None
    content = read_json(_failure_path(folder, digest))
    is_ours = isinstance(content, dict) and content.keys() == set(Failure._fields) and content["digest"] == digest
    return Failure(**content) if is_ours else None


def write_failure(folder: Path, failure: Failure) -> None:
    path = _failure_path(folder, failure.digest)
    with translate_os_errors(path):
        path.parent.mkdir(exist_ok=True)
    write_json(path, failure._asdict())


def forget_failure(folder: Path, digest: str) -> None:
    path = _failure_path(folder, digest)
    with translate_os_errors(path):
        path.unlink(missing_ok=True)


def is_sweep(folder: Path) -> bool:
    """Return whether a folder is a sweep folder."""
    return _is_ours(read_json(folder / NAME))


def read_sweep(folder: str | Path) -> Sweep:
    """Read a sweep folder."""
    folder = Path(folder)
    content = read_json(folder / NAME)
    if not _is_ours(content):
        raise UnknownFolder(f"{folder} is not a sweep folder; give one that `sparring sweep` created")
    cells = tuple(RecordedCell(cell["labels"], cell["digest"]) for cell in content["cells"])
    failures = (read_failure(folder, digest) for digest in dict.fromkeys(cell.digest for cell in cells))
    return Sweep(
        folder=folder,
        document=content["document"],
        axes={axis: tuple(labels) for axis, labels in content["axes"].items()},
        cells=cells,
        plugins=content["plugins"],
        preset=content["preset"],
        failures=tuple(failure for failure in failures if failure is not None),
    )


def write_sweep(folder: Path, plan: Plan, *, plugins: Mapping[str, str]) -> None:
    """Write the plan of a sweep into its folder."""
    content = {
        "sparring_sweep": FORMAT,
        "document": plan.document,
        "axes": plan.axes,
        "cells": [{"labels": cell.labels, "digest": cell.digest} for cell in plan.cells],
        "plugins": plugins,
        "preset": plan.preset,
    }
    write_json(folder / NAME, content)


@contextmanager
def sweep_lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes, and remove temporary files before and after a sweep."""
    _admit(folder)
    with lock_folder(folder):
        _admit(folder)
        _clear(folder)
        try:
            yield
        finally:
            _clear(folder)


def _admit(folder: Path) -> None:
    """Reject a folder that holds something else."""
    if not is_sweep(folder):
        refuse_other_files(
            folder, {LOCK, NAME + PARTIAL, DATA, STOP, POLICIES}, what="is not a sweep folder; choose another one"
        )


def _clear(folder: Path) -> None:
    with translate_os_errors(folder):
        stop_file(folder).unlink(missing_ok=True)
        shutil.rmtree(folder / DATA, ignore_errors=True)


def _failure_path(folder: Path, digest: str) -> Path:
    return folder / FAILURES / f"{digest[:DIGITS]}.json"


def _is_ours(content: Any) -> bool:
    if not isinstance(content, dict) or content.get("sparring_sweep") != FORMAT:
        return False
    sections = all(isinstance(content.get(section), dict) for section in ("document", "axes", "plugins"))
    cells = content.get("cells")
    return sections and isinstance(cells, list) and all(map(_is_cell, cells)) and "preset" in content


def _is_cell(content: Any) -> bool:
    """Return whether a cell has labels, and a digest that is safe as the name of a folder."""
    if not isinstance(content, dict) or not isinstance(content.get("labels"), dict):
        return False
    digest = content.get("digest")
    return isinstance(digest, str) and digest.isalnum()
