"""Tables of scores: the summary of each cell, the worst case of each row, and the regret to the best of each column."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.experiments.analysis.frames import axes_of, summarize_cells
from sparring.experiments.analysis.statistics import Summary
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED, join_labels

Key = tuple[str, ...]


class Metric(NamedTuple):
    """A column of the frame, its title, and whether a defender wants a high value."""

    column: str
    title: str
    is_wanted: bool = True


METRICS = (
    Metric("accuracy", "Accuracy after the last round"),
    Metric("average_accuracy", "Average accuracy over the rounds"),
    Metric("backdoor_accuracy", "Backdoor accuracy after the last round", is_wanted=False),
)
FURTHER = (
    Metric("average_backdoor_accuracy", "Average backdoor accuracy over the rounds", is_wanted=False),
    Metric(
        "backdoor_accuracy_with_target",
        "Backdoor accuracy after the last round, images of the target class counted",
        is_wanted=False,
    ),
    Metric(
        "average_backdoor_accuracy_with_target",
        "Average backdoor accuracy over the rounds, images of the target class counted",
        is_wanted=False,
    ),
    Metric("backdoor_accuracy_of_all", "Backdoor accuracy after the last round, of all images", is_wanted=False),
    Metric(
        "average_backdoor_accuracy_of_all", "Average backdoor accuracy over the rounds, of all images", is_wanted=False
    ),
)
"""Other definitions of backdoor accuracy in published tables; they are reported, but not compared."""


class ScoreCell(NamedTuple):
    """The score of a cell: its planned, complete and failed runs, one per seed, and the summary of a metric."""

    metric: Metric
    asked: int = 0
    complete: int = 0
    failed: int = 0
    summary: Summary | None = None
    """None if nothing was measured."""

    @property
    def absence(self) -> str:
        """Why there is no summary."""
        if self.asked == 0:
            return "not planned"
        if self.complete > 0:
            return "not measured"
        return "failed" if self.failed > 0 else "not run"

    @property
    def is_missing(self) -> bool:
        """Whether the cell has no summary yet, but runs that may complete."""
        return self.summary is None and self.asked > 0 and self.complete == 0

    @property
    def goodness(self) -> float | None:
        """The mean, negated if the defender wants a low value."""
        if self.summary is None:
            return None
        return self.summary.mean if self.metric.is_wanted else -self.summary.mean


@dataclass(frozen=True)
class ScoreTable:
    """Cells by row and column; in a grid the rows are defenses, the columns are attacks, and there is one metric."""

    title: str
    corner: str
    rows: Key
    columns: Key
    cells: Mapping[tuple[str, str], ScoreCell]
    is_grid: bool = True

    __repr__ = briefly


class WorstCase(NamedTuple):
    """The worst case of a row: its column and cell; missing cells may be even worse."""

    column: str
    cell: ScoreCell
    missing: int

    @property
    def bound(self) -> str:
        """The sign before a mean that is only a bound."""
        return "" if self.missing == 0 else "≤ " if self.cell.metric.is_wanted else "≥ "


def make_score_tables(study: Study) -> tuple[ScoreTable, ...]:
    """Return one table per metric if attacks and defenses are axes of the study, else a single plain table."""
    return _make_tables(study, list_metrics(study))


def make_further_tables(study: Study) -> tuple[ScoreTable, ...]:
    """Return the tables of further backdoor metrics, if there are any."""
    shown = list_further_metrics(study)
    return _make_tables(study, shown) if shown else ()


def list_metrics(study: Study) -> Sequence[Metric]:
    """Return the measured metrics."""
    return _select_measured(study, METRICS) or METRICS[:1]


def list_further_metrics(study: Study) -> Sequence[Metric]:
    """Return the measured further backdoor metrics."""
    return _select_measured(study, FURTHER)


def _select_measured(study: Study, among: Iterable[Metric]) -> list[Metric]:
    return [metric for metric in among if study.frame[metric.column].notna().any()]


def _make_tables(study: Study, shown: Iterable[Metric]) -> tuple[ScoreTable, ...]:
    if study.is_grid:
        return tuple(_make_grid(study, metric) for metric in shown)
    return (_make_plain(study, shown),)


def find_worst_case(table: ScoreTable, row: str) -> WorstCase | None:
    """Return the worst case of a grid's row from the defender's view; None if the row is empty."""
    known = {
        column: goodness for column in table.columns if (goodness := table.cells[row, column].goodness) is not None
    }
    if not known:
        return None
    column = min(known, key=lambda each: known[each])
    missing = sum(table.cells[row, other].is_missing for other in table.columns)
    return WorstCase(column, table.cells[row, column], missing)


def compute_regrets(table: ScoreTable) -> dict[tuple[str, str], float | None]:
    """Return the regret of each cell of a grid: the difference to the best row of its column.

    The regrets of a column are None if one of its cells lacks some seeds, since the means then cover different seeds.
    """
    return {key: regret for column in table.columns for key, regret in _column_regrets(table, column).items()}


def _column_regrets(table: ScoreTable, column: str) -> dict[tuple[str, str], float | None]:
    cells = {(row, column): table.cells[row, column] for row in table.rows}
    known = [cell.goodness for cell in cells.values() if cell.goodness is not None]
    is_comparable = all(cell.summary is None or cell.summary.n == cell.asked for cell in cells.values())
    return {
        key: max(known) - cell.goodness if is_comparable and cell.goodness is not None else None
        for key, cell in cells.items()
    }


def _make_grid(study: Study, metric: Metric) -> ScoreTable:
    rows, columns = study.axes[DEFENSE], study.axes[ATTACK]
    found = _make_cells(study, metric, axes=(DEFENSE, ATTACK))
    cells = {(row, column): found.get((row, column), ScoreCell(metric)) for row in rows for column in columns}
    return ScoreTable(metric.title, DEFENSE, rows, columns, cells)


def _make_plain(study: Study, shown: Iterable[Metric]) -> ScoreTable:
    rows = {tuple(labels.values()): join_labels(labels) or study.name for labels in study.combinations()}
    axes = [axis for axis in study.axes if axis != SEED]
    columns = {metric.title: _make_cells(study, metric, axes=axes) for metric in shown}
    cells = {(row, title): found[key] for title, found in columns.items() for key, row in rows.items()}
    return ScoreTable(
        "Measured metrics", " × ".join(axes) or "run", tuple(rows.values()), tuple(columns), cells, is_grid=False
    )


def _make_cells(study: Study, metric: Metric, *, axes: Sequence[str]) -> dict[Key, ScoreCell]:
    """Return the cell of each planned combination of labels on `axes`; the other axes have one label."""
    asked, complete, failed = (
        Counter(tuple(cell.labels[axis] for axis in axes) for cell in cells)
        for cells in (study.cells, study.complete, study.failed)
    )
    names = axes_of(study.frame)
    found = {
        tuple(dict(zip(names, labels, strict=True))[axis] for axis in axes): summary
        for labels, summary in summarize_cells(study.frame, metric.column).items()
        if isfinite(summary.mean)
    }
    return {key: ScoreCell(metric, asked[key], complete[key], failed[key], found.get(key)) for key in asked}
