"""From a folder to the study that a report is made of."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sparring.errors import RunError, UnknownFolder
from sparring.experiments.config.parse import digest
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.plots import Curve
from sparring.experiments.report.study import Study
from sparring.experiments.runs.journal import read_records
from sparring.experiments.runs.manifest import has_manifest, read_old_manifest
from sparring.experiments.runs.run_folder import RECORDS, RESULT
from sparring.experiments.statistics import SMALLEST_GAP
from sparring.experiments.sweeps import sweep_folder as sweeps
from sparring.experiments.sweeps import tuning
from sparring.experiments.sweeps.axes import METRICS
from sparring.experiments.sweeps.tuning import CandidateScore, Choice
from sparring.experiments.tables import MEASURED, frame, measured


def read_study(folder: str | Path, *, gap: float = SMALLEST_GAP) -> Study:
    """Return what the folder of a sweep, or of a single run, holds; no plug-in that was played is needed for that."""
    folder = Path(folder)
    if has_manifest(folder):
        return _single(folder, gap=gap)
    if not sweeps.is_sweep(folder):
        raise UnknownFolder(f"{folder} holds neither a sweep nor a run; give a folder that `sparring sweep` made")
    sweep, runs = sweeps.read_sweep(folder), frame(folder)
    folders = {name: folder / sweeps.RUNS / name for name in runs["run"].unique()}
    return Study(
        name=folder.resolve().name,
        axes=sweep.axes,
        cells=sweep.cells,
        frame=runs,
        manifests={name: read_old_manifest(path) for name, path in folders.items()},
        curves={name: _curve(path / RECORDS) for name, path in folders.items()},
        failures=sweep.failures,
        document=sweep.document,
        preset=sweep.preset,
        choices=tuple(_choices(folder)),
        gap=gap,
    )


def _single(folder: Path, *, gap: float) -> Study:
    about, result = read_old_manifest(folder), read_json(folder / RESULT)
    cell = sweeps.RecordedCell({}, digest(about.config))
    if result is None:
        raise RunError(f"{folder} holds a run that is not complete; go on with it by `sparring resume`")
    name = cell.digest[: sweeps.DIGITS]
    row = measured(result, seed=about.config.seed, run=name)
    return Study(
        name=folder.resolve().name,
        axes={},
        cells=(cell,),
        frame=pd.DataFrame([row], columns=list(MEASURED)).astype(dict.fromkeys(METRICS, float)),
        manifests={name: about},
        curves={name: _curve(folder / RECORDS)},
        gap=gap,
    )


def _choices(folder: Path) -> Iterator[Choice]:
    """Yield what a sweep chose, if it was to choose anything."""
    content = read_json(folder / tuning.NAME)
    for choice in content["choices"] if content is not None else ():
        yield Choice(**choice | {"trials": tuple(CandidateScore(**trial) for trial in choice["trials"])})


def _curve(path: Path) -> Curve:
    """Return the accuracies after the rounds that were evaluated."""
    try:
        curve = [(record.round, record.accuracy) for record in read_records(path) if record.accuracy is not None]
    except (OSError, ValueError, TypeError):
        curve = []
    if not curve:
        raise RunError(f"{path} is missing or damaged; play the run again with --overwrite")
    return curve
