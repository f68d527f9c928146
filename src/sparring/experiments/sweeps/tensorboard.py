"""What TensorBoard shows: the records of a run while it is played, or those that a run or a sweep has left."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from sparring.errors import UnknownFolder
from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.experiments.jobs.observer import Observer
from sparring.experiments.runs.journal import read_records
from sparring.experiments.runs.manifest import has_manifest
from sparring.experiments.runs.run_folder import RECORDS
from sparring.experiments.sweeps.sweep_folder import is_sweep, read_sweep, run_folder
from sparring.federation import RoundRecord
from sparring.integrations import integration


class Events(Protocol):
    """What a board shows of one run."""

    def write(self, record: RoundRecord) -> None:
        """Add a round."""

    def close(self) -> None:
        """Let go of the file."""


class Tracker:
    """Keeps a folder of a board up with the records of a run."""

    def __init__(self, run: Path, folder: Path) -> None:
        self.run, self.folder = run, folder
        self._open: Callable[[Path], Events] = integration("tensorboard")
        self._events: Events | None = None

    def take(self, record: RoundRecord) -> None:
        """Show a record, after those that the run had before it was resumed."""
        if self._events is None:
            self.catch_up()  # the run's file has this record already
            return
        with translate_os_errors(self.folder):
            self._events.write(record)

    def catch_up(self) -> None:
        """Show what the run's file holds, if nothing is shown yet."""
        if self._events is None:
            with translate_os_errors(self.folder):
                self._events = self._open(self.folder)
                for record in read_records(self.run / RECORDS):
                    self._events.write(record)

    def close(self) -> None:
        if self._events is not None:
            self._events.close()


@contextmanager
def tracked(observer: Observer, run: Path, *, board: Path | None) -> Iterator[Observer]:
    """Yield an observer that lets TensorBoard follow a run, in a folder of the run's name, if there is a board."""
    if board is None:
        yield observer
        return
    with closing(Tracker(run, board / run.resolve().name)) as tracker:

        def take(record: RoundRecord) -> None:
            tracker.take(record)
            observer.record(record)

        yield replace(observer, record=take)
        tracker.catch_up()  # of a run that was complete, no record comes


def track(folder: Path, board: Path) -> int:
    """Write what a run, or each run of a sweep, has recorded onto a board, and return how many runs that were."""
    runs = {place: run for place, run in _runs(folder) if (run / RECORDS).exists()}
    for place, run in runs.items():
        with closing(Tracker(run, board / place)) as tracker:
            tracker.catch_up()
    return len(runs)


def _runs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each run's place on a board, and its folder: those of a sweep are placed by their labels."""
    name = folder.resolve().name
    if is_sweep(folder):
        for cell in read_sweep(folder).cells:
            labels = (f"{axis}={label}".replace("/", "_") for axis, label in cell.labels.items())
            yield Path(name, *labels), run_folder(folder, cell.digest)
    elif has_manifest(folder):
        yield Path(name), folder
    else:
        raise UnknownFolder(f"{folder} holds neither a run nor a sweep; give a folder that Sparring made")
