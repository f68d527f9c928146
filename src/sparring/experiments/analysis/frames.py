"""From the folder of a sweep to a frame with a row a run, and from that to its cells."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pandas as pd

from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import Comparison, Summary, compare, holm, summary
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.runs import manifest
from sparring.experiments.sweeps.axes import COLUMNS, METRICS, SEED
from sparring.experiments.sweeps.sweep_folder import read_result, read_sweep, run_folder

MEASURED = (SEED, *COLUMNS)
"""The columns of a frame that are no axes."""
ERROR = "error"
"""A metric beside those of a frame: one minus the accuracy."""

Labels: TypeAlias = Mapping[str, str]
"""Names a cell, or a part of it, by its label on each axis."""


class Contrast(NamedTuple):
    """A cell against the reference beside it, and the p-value corrected for all contrasts made together."""

    labels: Labels
    comparison: Comparison
    p: float | None


def frame(folder: str | Path) -> pd.DataFrame:
    """Return a row for each complete run: its label on each axis in the file's order, its seed and what it came to.

    A loss is not a number where the run's is not finite, an accuracy of the backdoor where there is none.
    """
    sweep = read_sweep(Path(folder))
    rows = [row for labels, digest in sweep.cells if (row := _row(sweep.folder, labels, digest=digest)) is not None]
    axes = {axis: labels for axis, labels in sweep.axes.items() if axis != SEED}
    table = pd.DataFrame(rows, columns=[*axes, *MEASURED])
    for axis, labels in axes.items():
        table[axis] = pd.Categorical(table[axis], categories=labels, ordered=True)
    return table.astype({SEED: int, **dict.fromkeys(METRICS, float), "rounds": int})


def measured(result: Mapping[str, Any], *, seed: int, run: str) -> dict[str, Any]:
    """Return what a frame holds of a run beside its labels."""
    return {SEED: seed, **{column: result.get(column) for column in (*METRICS, "rounds")}, "run": run}


def axes_of(runs: pd.DataFrame) -> list[str]:
    """Return the axes of a frame, but for the seed."""
    return [column for column in runs.columns if column not in MEASURED]


def values(runs: pd.DataFrame, metric: str) -> pd.Series:
    """Return a metric of each run."""
    if metric == ERROR:
        return 1 - runs["accuracy"]
    if metric not in METRICS:
        raise ConfigError(f"metric is {metric!r}; it must be one of: {', '.join((*METRICS, ERROR))}")
    return runs[metric]


def possible(metric: str) -> dict[str, float]:
    """Return the least and the most that a metric can be: a share, but for the loss."""
    return {"least": 0.0, "most": inf if metric == "loss" else 1.0}


def by_seed(runs: pd.DataFrame, cell: Labels, *, metric: str) -> dict[int, float]:
    """Return a metric of a cell's runs by their seeds; a cell that was not played has none."""
    if not cell.keys() <= set(axes_of(runs)):
        return {}
    chosen = runs
    for axis, label in cell.items():
        chosen = chosen[chosen[axis] == label]
    if chosen[SEED].duplicated().any():
        raise ConfigError(f"{named(cell)} is more than one cell; give a label on each of: {', '.join(axes_of(runs))}")
    return dict(zip(chosen[SEED].tolist(), values(chosen, metric).tolist(), strict=True))


def summaries(runs: pd.DataFrame, metric: str) -> dict[tuple[str, ...], Summary]:
    """Summarize each cell over its seeds; cells are named by their labels on `axes_of`, in the file's order."""
    axes, limits = axes_of(runs), possible(metric)
    measured = values(runs, metric)
    if not axes:
        return {(): summary(measured, **limits)} if len(measured) else {}
    groups = measured.groupby([runs[axis] for axis in axes], observed=True)
    return {tuple(map(str, labels)): summary(group.to_numpy(), **limits) for labels, group in groups}


def cell_accuracies(folder: str | Path) -> list[dict[str, Any]]:
    """Return each cell of a sweep by its labels, with its accuracy over seeds, as JSON holds it."""
    runs = frame(folder)
    axes = axes_of(runs)
    return [
        {"labels": dict(zip(axes, labels, strict=True)), "accuracy": cell._asdict()}
        for labels, cell in summaries(runs, "accuracy").items()
    ]


def contrasts(runs: pd.DataFrame, metric: str, *, axis: str, reference: str) -> list[Contrast]:
    """Compare each cell, on common seeds, with the one that differs from it by `reference` on an axis."""
    pairs = []
    for labels in summaries(runs, metric):
        cell = dict(zip(axes_of(runs), labels, strict=True))
        own = by_seed(runs, cell, metric=metric)
        other = by_seed(runs, {**cell, axis: reference}, metric=metric)
        if cell[axis] != reference and own.keys() & other.keys():
            pairs.append((cell, compare(own, other)))
    corrected = holm([comparison.p for _, comparison in pairs])
    return [Contrast(cell, comparison, p) for (cell, comparison), p in zip(pairs, corrected, strict=True)]


def named(cell: Labels) -> str:
    """Name a cell, as in `attack=lmp, defense=krum`."""
    return ", ".join(f"{axis}={label}" for axis, label in cell.items())


def _row(folder: Path, labels: Labels, *, digest: str) -> dict[str, Any] | None:
    """Return what a run came to; one that is not complete came to nothing yet."""
    run = run_folder(folder, digest)
    result, about = read_result(folder, digest), read_json(run / manifest.NAME)
    if result is None or about is None:
        return None
    return {**labels, **measured(result, seed=about["seed"], run=run.name)}
