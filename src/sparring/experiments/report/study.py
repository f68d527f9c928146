"""The subject of a report, read from its folder: a run, or a sweep with its cells, records and failures."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sparring.arrays import briefly
from sparring.errors import RunError, UnknownFolder
from sparring.experiments.analysis.frames import MEASURED, Labels, read_frame, result_columns
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.analysis.statistics import SMALLEST_GAP, name_interval
from sparring.experiments.config.parse import digest
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.runs.journal import read_curve
from sparring.experiments.runs.manifest import Manifest, has_manifest, read_old_manifest
from sparring.experiments.runs.run_folder import RECORDS, RESULT
from sparring.experiments.sweeps import sweep_folder as sweeps
from sparring.experiments.sweeps import tuning
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, METRICS, SEED
from sparring.experiments.sweeps.sweep_folder import DIGITS, Failure, RecordedCell
from sparring.experiments.sweeps.tuning import CandidateScore, Choice


@dataclass(frozen=True, eq=False)
class Study:
    """A sweep, or a single run, which has no axes; runs are identified by the names of their folders."""

    name: str
    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[RecordedCell, ...]
    frame: pd.DataFrame
    """One row per cell with a complete run."""
    manifests: Mapping[str, Manifest]
    """The manifest of each complete run."""
    curves: Mapping[str, Curve]
    """The accuracy of each complete run after its evaluated rounds."""
    failures: tuple[Failure, ...] = ()
    document: Mapping[str, Any] | None = None
    """The sweep file."""
    preset: Mapping[str, str] | None = None
    choices: tuple[Choice, ...] = ()
    """The hyperparameters chosen on validation examples."""
    gap: float = SMALLEST_GAP
    """The smallest difference that counts."""

    __repr__ = briefly

    @property
    def is_grid(self) -> bool:
        """Whether attacks and defenses are axes."""
        return ATTACK in self.axes and DEFENSE in self.axes

    @property
    def complete(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs are complete."""
        return tuple(cell for cell in self.cells if run_of(cell) in self.manifests)

    @property
    def interval(self) -> str:
        """The name of the intervals of its cells and of their differences."""
        axes = [axis for axis in self.axes if axis != SEED]
        return name_interval(Counter(tuple(cell.labels[axis] for axis in axes) for cell in self.complete).values())

    @property
    def failed(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs raised an error."""
        lost = {failure.digest for failure in self.failures}
        return tuple(cell for cell in self.cells if cell.digest in lost)

    @property
    def missing(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs are neither complete nor failed."""
        finished = {cell.digest for cell in (*self.complete, *self.failed)}
        return tuple(cell for cell in self.cells if cell.digest not in finished)

    def where(self, labels: Labels) -> "Study":
        """Return the part of the study with these labels."""
        frame = self.frame
        for axis, label in labels.items():
            frame = frame[frame[axis] == label]
        cells = tuple(cell for cell in self.cells if labels.items() <= cell.labels.items())
        return replace(self, cells=cells, frame=frame)

    def combinations(self, *apart: str) -> tuple[Labels, ...]:
        """Return the planned combinations of labels in the order of the axes, without seeds and the axes in `apart`."""
        axes = [axis for axis in self.axes if axis not in (*apart, SEED)]
        found = {tuple(cell.labels[axis] for axis in axes) for cell in self.cells}
        ranks = [{label: rank for rank, label in enumerate(self.axes[axis])} for axis in axes]
        ordered = sorted(found, key=lambda labels: [rank[label] for rank, label in zip(ranks, labels, strict=True)])
        return tuple(dict(zip(axes, labels, strict=True)) for labels in ordered)


def run_of(cell: RecordedCell) -> str:
    """Return the name of the folder of a cell's run."""
    return cell.digest[:DIGITS]


def read_study(folder: str | Path, *, gap: float = SMALLEST_GAP) -> Study:
    """Read the folder of a sweep or of a single run; plug-ins that it uses need not be loaded."""
    folder = Path(folder)
    if has_manifest(folder):
        return _read_single(folder, gap=gap)
    if not sweeps.is_sweep(folder):
        raise UnknownFolder(f"{folder} holds neither a sweep nor a run; give a folder that `sparring sweep` created")
    sweep, runs = sweeps.read_sweep(folder), read_frame(folder)
    folders = {name: folder / sweeps.RUNS / name for name in runs["run"].unique()}
    return Study(
        name=folder.resolve().name,
        axes=sweep.axes,
        cells=sweep.cells,
        frame=runs,
        manifests={name: read_old_manifest(path) for name, path in folders.items()},
        curves={name: _read_curve(path / RECORDS) for name, path in folders.items()},
        failures=sweep.failures,
        document=sweep.document,
        preset=sweep.preset,
        choices=tuple(_read_choices(folder)),
        gap=gap,
    )


def _read_single(folder: Path, *, gap: float) -> Study:
    about, result = read_old_manifest(folder), read_json(folder / RESULT)
    cell = sweeps.RecordedCell({}, digest(about.config))
    if result is None:
        raise RunError(f"{folder} holds a run that is not complete; resume it with `sparring resume`")
    name = cell.digest[: sweeps.DIGITS]
    row = result_columns(result, seed=about.config.seed, run=name)
    return Study(
        name=folder.resolve().name,
        axes={},
        cells=(cell,),
        frame=pd.DataFrame([row], columns=list(MEASURED)).astype(dict.fromkeys(METRICS, float)),
        manifests={name: about},
        curves={name: _read_curve(folder / RECORDS)},
        gap=gap,
    )


def _read_choices(folder: Path) -> Iterator[Choice]:
    """Yield the choices of a sweep with tuning."""
    content = read_json(folder / tuning.NAME)
    for choice in content["choices"] if content is not None else ():
        yield Choice(**choice | {"trials": tuple(CandidateScore(**trial) for trial in choice["trials"])})


def _read_curve(path: Path) -> Curve:
    """Return the accuracies after the evaluated rounds."""
    try:
        curve, _ = read_curve(path)
    except (OSError, ValueError, TypeError, KeyError):
        curve = []
    if not curve:
        raise RunError(f"{path} is missing or damaged; run it again with --overwrite")
    return curve
