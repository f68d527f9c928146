"""Read the folder of a sweep into a data frame with one row per run, and summarize its cells."""

from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pandas as pd

from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import Comparison, Summary, compare, correct_holm, summarize
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.runs import manifest
from sparring.experiments.sweeps.axes import COLUMNS, METRICS, SEED
from sparring.experiments.sweeps.sweep_folder import read_result, read_sweep, run_folder

MEASURED = (SEED, *COLUMNS)
"""The columns of a frame that are not axes."""
ERROR = "error"
"""An additional metric: one minus the accuracy."""
BACKDOOR_SCORE = "backdoor_score"
"""An additional metric: half the backdoor accuracy plus half the accuracy (MSG's λ of .5); NaN without a backdoor."""
DERIVED = (ERROR, BACKDOOR_SCORE)

Labels: TypeAlias = Mapping[str, str]
"""A cell or a set of cells, given by its label on each axis."""


class Contrast(NamedTuple):
    """The comparison of a cell with its reference, and the p-value corrected for all contrasts of the same call."""

    labels: Labels
    comparison: Comparison
    p: float | None


def read_frame(folder: str | Path) -> pd.DataFrame:
    """Return one row per complete run: its labels on the axes in the file's order, its seed and its results.

    The loss is NaN if it is not finite, and a backdoor accuracy is NaN if there is no backdoor.
    """
    sweep = read_sweep(Path(folder))
    rows = [row for labels, digest in sweep.cells if (row := _row(sweep.folder, labels, digest=digest)) is not None]
    axes = {axis: labels for axis, labels in sweep.axes.items() if axis != SEED}
    table = pd.DataFrame(rows, columns=[*axes, *MEASURED])
    for axis, labels in axes.items():
        table[axis] = pd.Categorical(table[axis], categories=labels, ordered=True)
    return table.astype({SEED: int, **dict.fromkeys(METRICS, float), "rounds": int})


def result_columns(result: Mapping[str, Any], *, seed: int, run: str) -> dict[str, Any]:
    """Return the columns of a run's row other than its labels."""
    return {SEED: seed, **{column: result.get(column) for column in (*METRICS, "rounds")}, "run": run}


def axes_of(runs: pd.DataFrame) -> list[str]:
    """Return the axes of a frame, except for the seed."""
    return [column for column in runs.columns if column not in MEASURED]


def values(runs: pd.DataFrame, metric: str) -> pd.Series:
    """Return a metric of each run."""
    if metric == ERROR:
        return 1 - runs["accuracy"]
    if metric == BACKDOOR_SCORE:
        return (runs["backdoor_accuracy"] + runs["accuracy"]) / 2
    if metric not in METRICS:
        raise ConfigError(f"metric is {metric!r}; it must be one of: {', '.join((*METRICS, *DERIVED))}")
    return runs[metric]


def metric_bounds(metric: str) -> dict[str, float]:
    """Return the bounds of a metric: 0 and 1, and no upper bound for the loss and norms."""
    return {"least": 0.0, "most": inf if metric in ("loss", "gradient_norm") else 1.0}


def by_seed(runs: pd.DataFrame, cell: Labels, *, metric: str) -> dict[int, float]:
    """Return a metric of a cell's runs by seed; a cell without runs has none."""
    if not cell.keys() <= set(axes_of(runs)):
        return {}
    chosen = runs
    for axis, label in cell.items():
        chosen = chosen[chosen[axis] == label]
    if chosen[SEED].duplicated().any():
        raise ConfigError(
            f"{format_cell(cell)} matches more than one cell; give a label on each of: {', '.join(axes_of(runs))}"
        )
    return dict(zip(chosen[SEED].tolist(), values(chosen, metric).tolist(), strict=True))


def summarize_cells(runs: pd.DataFrame, metric: str) -> dict[tuple[str, ...], Summary]:
    """Summarize each cell over its seeds; keys are the labels on `axes_of`, in the file's order."""
    axes, limits = axes_of(runs), metric_bounds(metric)
    measured = values(runs, metric)
    if not axes:
        return {(): summarize(measured, **limits)} if len(measured) else {}
    groups = measured.groupby([runs[axis] for axis in axes], observed=True)
    return {tuple(map(str, labels)): summarize(group.to_numpy(), **limits) for labels, group in groups}


def cell_accuracies(folder: str | Path) -> list[dict[str, Any]]:
    """Return the labels of each cell of a sweep and its accuracy over seeds, ready for JSON."""
    runs = read_frame(folder)
    axes = axes_of(runs)
    return [
        {"labels": dict(zip(axes, labels, strict=True)), "accuracy": cell._asdict()}
        for labels, cell in summarize_cells(runs, "accuracy").items()
    ]


def compare_cells(runs: pd.DataFrame, metric: str, *, axis: str, reference: str) -> list[Contrast]:
    """Compare each cell, on common seeds, with the cell that has `reference` on an axis and is otherwise equal."""
    pairs = []
    for labels in summarize_cells(runs, metric):
        cell = dict(zip(axes_of(runs), labels, strict=True))
        own = by_seed(runs, cell, metric=metric)
        other = by_seed(runs, {**cell, axis: reference}, metric=metric)
        if cell[axis] != reference and own.keys() & other.keys():
            pairs.append((cell, compare(own, other)))
    corrected = correct_holm([comparison.p for _, comparison in pairs])
    return [Contrast(cell, comparison, p) for (cell, comparison), p in zip(pairs, corrected, strict=True)]


def format_cell(cell: Labels) -> str:
    """Name a cell, as in `attack=lmp, defense=krum`."""
    return ", ".join(f"{axis}={label}" for axis, label in cell.items())


def _row(folder: Path, labels: Labels, *, digest: str) -> dict[str, Any] | None:
    """Return the row of a run; None if the run is not complete."""
    run = run_folder(folder, digest)
    result, about = read_result(folder, digest), read_json(run / manifest.NAME)
    if result is None or about is None:
        return None
    return {**labels, **result_columns(result, seed=about["seed"], run=run.name)}
