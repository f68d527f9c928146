"""Tables of cells: what the seeds of a cell came to, the worst of a row, and what the best of a column has more."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.experiments.analysis.frames import axes_of, summaries
from sparring.experiments.analysis.statistics import Summary
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED, called_together

Key = tuple[str, ...]


class Metric(NamedTuple):
    """A column of the frame, what it is called, and whether a defender wants much of it."""

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
"""What published tables may mean by the accuracy of a backdoor: to be looked up, and compared with nothing."""


class ScoreCell(NamedTuple):
    """How many runs, one a seed, a cell asks for, how many are complete and how many failed, and what they came to."""

    metric: Metric
    asked: int = 0
    complete: int = 0
    failed: int = 0
    summary: Summary | None = None
    """None where nothing was measured."""

    @property
    def absence(self) -> str:
        """Why there is no summary."""
        if self.asked == 0:
            return "not asked for"
        if self.complete > 0:
            return "not measured"
        return "failed" if self.failed > 0 else "not played"

    @property
    def is_missing(self) -> bool:
        """Say whether a cell may still come to something."""
        return self.summary is None and self.asked > 0 and self.complete == 0

    @property
    def goodness(self) -> float | None:
        """How much of what a defender wants there is."""
        if self.summary is None:
            return None
        return self.summary.mean if self.metric.is_wanted else -self.summary.mean


@dataclass(frozen=True)
class ScoreTable:
    """Cells by row and column; in a grid the rows are defenses, the columns attacks, and the metric is one."""

    title: str
    corner: str
    rows: Key
    columns: Key
    cells: Mapping[tuple[str, str], ScoreCell]
    is_grid: bool = True

    __repr__ = briefly


class Worst(NamedTuple):
    """The column that a row fares worst in; where others are missing, it may fare worse still."""

    column: str
    cell: ScoreCell
    missing: int

    @property
    def bound(self) -> str:
        """The sign that a mean has which is only a bound."""
        return "" if self.missing == 0 else "≤ " if self.cell.metric.is_wanted else "≥ "


def make_score_tables(study: Study) -> tuple[ScoreTable, ...]:
    """Return the tables of a study whose cells are named by attack and defense, or else one plain table."""
    return _tables(study, metrics(study))


def further_tables(study: Study) -> tuple[ScoreTable, ...]:
    """Return the tables of what else was measured of a backdoor; without one there are none."""
    shown = further_metrics(study)
    return _tables(study, shown) if shown else ()


def metrics(study: Study) -> Sequence[Metric]:
    """Return what was measured."""
    return _measured(study, METRICS) or METRICS[:1]


def further_metrics(study: Study) -> Sequence[Metric]:
    """Return what else was measured of a backdoor."""
    return _measured(study, FURTHER)


def _measured(study: Study, among: Iterable[Metric]) -> list[Metric]:
    return [metric for metric in among if study.frame[metric.column].notna().any()]


def _tables(study: Study, shown: Iterable[Metric]) -> tuple[ScoreTable, ...]:
    if study.is_grid:
        return tuple(_grid(study, metric) for metric in shown)
    return (_plain(study, shown),)


def worst(table: ScoreTable, row: str) -> Worst | None:
    """Return the cell of a grid's row that a defender fears most; None where the row is empty."""
    known = {
        column: goodness for column in table.columns if (goodness := table.cells[row, column].goodness) is not None
    }
    if not known:
        return None
    column = min(known, key=lambda each: known[each])
    missing = sum(table.cells[row, other].is_missing for other in table.columns)
    return Worst(column, table.cells[row, column], missing)


def regrets(table: ScoreTable) -> dict[tuple[str, str], float | None]:
    """Return for each cell of a grid how much more the best row of its column has of what a defender wants.

    Where a cell lacks some of its seeds, its whole column is left out: its mean is not one of the same seeds.
    """
    return {place: regret for column in table.columns for place, regret in _column_regrets(table, column).items()}


def _column_regrets(table: ScoreTable, column: str) -> dict[tuple[str, str], float | None]:
    cells = {(row, column): table.cells[row, column] for row in table.rows}
    known = [cell.goodness for cell in cells.values() if cell.goodness is not None]
    is_comparable = all(cell.summary is None or cell.summary.n == cell.asked for cell in cells.values())
    return {
        place: max(known) - cell.goodness if is_comparable and cell.goodness is not None else None
        for place, cell in cells.items()
    }


def _grid(study: Study, metric: Metric) -> ScoreTable:
    rows, columns = study.axes[DEFENSE], study.axes[ATTACK]
    found = _cells(study, metric, axes=(DEFENSE, ATTACK))
    cells = {(row, column): found.get((row, column), ScoreCell(metric)) for row in rows for column in columns}
    return ScoreTable(metric.title, DEFENSE, rows, columns, cells)


def _plain(study: Study, shown: Iterable[Metric]) -> ScoreTable:
    rows = {tuple(labels.values()): called_together(labels) or study.name for labels in study.combinations()}
    axes = [axis for axis in study.axes if axis != SEED]
    columns = {metric.title: _cells(study, metric, axes=axes) for metric in shown}
    cells = {(row, title): found[key] for title, found in columns.items() for key, row in rows.items()}
    return ScoreTable(
        "What was measured", " × ".join(axes) or "run", tuple(rows.values()), tuple(columns), cells, is_grid=False
    )


def _cells(study: Study, metric: Metric, *, axes: Sequence[str]) -> dict[Key, ScoreCell]:
    """Return the cell of each combination of labels of `axes` that was asked for; others have one label."""
    asked, complete, failed = (
        Counter(tuple(cell.labels[axis] for axis in axes) for cell in cells)
        for cells in (study.cells, study.complete, study.failed)
    )
    names = axes_of(study.frame)
    found = {
        tuple(dict(zip(names, labels, strict=True))[axis] for axis in axes): summary
        for labels, summary in summaries(study.frame, metric.column).items()
        if isfinite(summary.mean)
    }
    return {key: ScoreCell(metric, asked[key], complete[key], failed[key], found.get(key)) for key in asked}
