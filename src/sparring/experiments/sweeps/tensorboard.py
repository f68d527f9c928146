"""Write records for TensorBoard: those of a run in progress, or those of a finished run or sweep."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from sparring.errors import UnknownFolder
from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.experiments.jobs.observer import Observer
from sparring.experiments.runs.journal import read_records
from sparring.experiments.runs.manifest import has_manifest, read_old_manifest
from sparring.experiments.runs.run_folder import RECORDS
from sparring.experiments.runs.training import run_kind
from sparring.experiments.sweeps.sweep_folder import is_sweep, read_sweep, run_folder
from sparring.integrations import integration
from sparring.records import Record


class Events(Protocol):
    """The event file of one run."""

    def write(self, record: Record) -> None:
        """Add the record of a round."""

    def close(self) -> None:
        """Close the file."""


class Tracker:
    """Copies the records of a run into a folder of TensorBoard."""

    def __init__(self, run: Path, folder: Path) -> None:
        self.run, self.folder = run, folder
        self._open: Callable[[Path], Events] = integration("tensorboard")
        self._events: Events | None = None

    @cached_property
    def _record(self) -> type[Any]:
        """The class of the run's records, by its kind of training."""
        return run_kind(read_old_manifest(self.run).config).record

    def take(self, record: Record) -> None:
        """Add a record, after the records from before the run was resumed."""
        if self._events is None:
            self.catch_up()  # the run's file already contains this record
            return
        with translate_os_errors(self.folder):
            self._events.write(record)

    def catch_up(self) -> None:
        """Add the records in the run's file, if nothing is added yet."""
        if self._events is None:
            with translate_os_errors(self.folder):
                self._events = self._open(self.folder)
                for record in read_records(self.run / RECORDS, self._record):
                    self._events.write(record)

    def close(self) -> None:
        if self._events is not None:
            self._events.close()


@contextmanager
def track_run(observer: Observer, run: Path, *, board: Path | None) -> Iterator[Observer]:
    """Yield an observer that also writes the records of a run for TensorBoard, if `board` is given."""
    if board is None:
        yield observer
        return
    with closing(Tracker(run, board / run.resolve().name)) as tracker:

        def take(record: Record) -> None:
            tracker.take(record)
            observer.record(record)

        yield replace(observer, record=take)
        tracker.catch_up()  # a complete run produces no records


def write_events(folder: Path, board: Path) -> int:
    """Write the records of a run, or of each run of a sweep, for TensorBoard, and return the number of runs."""
    runs = {path: run for path, run in _runs(folder) if (run / RECORDS).exists()}
    for path, run in runs.items():
        with closing(Tracker(run, board / path)) as tracker:
            tracker.catch_up()
    return len(runs)


def _runs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each run's path on the board, which for a sweep consists of its labels, and the run's folder."""
    name = folder.resolve().name
    if is_sweep(folder):
        for cell in read_sweep(folder).cells:
            labels = (f"{axis}={label}".replace("/", "_") for axis, label in cell.labels.items())
            yield Path(name, *labels), run_folder(folder, cell.digest)
    elif has_manifest(folder):
        yield Path(name), folder
    else:
        raise UnknownFolder(f"{folder} holds neither a run nor a sweep; give a folder that Sparring created")
