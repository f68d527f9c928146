"""Tables of paired differences between each cell and the cell with the first label of an axis."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.experiments.analysis.frames import Contrast, compare_cells
from sparring.experiments.analysis.statistics import SMALLEST_GAP, interpret, name_interval
from sparring.experiments.report.score_tables import Key, Metric, list_metrics
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED, join_labels

LEAST_P = 0.001
"""Smaller p-values are shown as below this."""


class Difference(NamedTuple):
    """The paired difference of a metric between a cell and its reference."""

    metric: Metric
    contrast: Contrast
    gap: float = SMALLEST_GAP
    """The smallest difference that counts."""

    @property
    def winner(self) -> str:
        """The side that the whole interval favors, `defender` or `attacker`; empty if it favors neither."""
        read = interpret(self.contrast.comparison, self.gap)
        if read not in ("more", "less"):
            return ""
        return "defender" if (read == "more") == self.metric.is_wanted else "attacker"

    @property
    def remark(self) -> str:
        """The reading of an interval that favors neither side: `no difference` or `undecided`."""
        if self.winner or self.contrast.comparison.low is None:
            return ""
        return interpret(self.contrast.comparison, self.gap).removesuffix(" that counts")

    @property
    def lines(self) -> tuple[str, ...]:
        """The mean difference, its interval, effect size and corrected p-value, the number of seeds, and a remark."""
        n, difference, low, high, effect, _ = self.contrast.comparison
        interval = "no interval" if low is None else f"{low:+.3f} to {high:+.3f}"
        tests = [] if effect is None else [f"d {effect:.1f}"]
        if self.contrast.p is not None:
            tests.append(_format_p(self.contrast.p))
        return tuple(filter(None, (f"{difference:+.3f}", interval, ", ".join(tests), f"n = {n}", self.remark)))


@dataclass(frozen=True)
class PairedTable:
    """Differences by row and column; cells without common seeds are missing."""

    title: str
    corner: str
    rows: Key
    columns: Key
    cells: Mapping[tuple[str, str], Difference]

    __repr__ = briefly

    @property
    def is_paired(self) -> bool:
        """Whether any difference has more than one common seed."""
        return any(each.contrast.comparison.n > 1 for each in self.cells.values())


def name_intervals(tables: Iterable[PairedTable]) -> str:
    """Name the intervals of the differences in tables."""
    return name_interval(each.contrast.comparison.n for table in tables for each in table.cells.values())


def make_paired_tables(study: Study) -> tuple[PairedTable, ...]:
    """Compare the labels of an axis, in a grid defenses and attacks, with the first one; one seed gives no table."""
    tables = _make_grids(study) if study.is_grid else _make_lists(study)
    return tuple(table for table in tables if table.is_paired)


def _make_grids(study: Study) -> Iterator[PairedTable]:
    for metric in list_metrics(study):
        for axis in (DEFENSE, ATTACK):
            first, *others = study.axes[axis]
            shown = {DEFENSE: study.axes[DEFENSE], ATTACK: study.axes[ATTACK], axis: tuple(others)}
            cells = {
                (each.contrast.labels[DEFENSE], each.contrast.labels[ATTACK]): each
                for each in _differences(study, metric, axis=axis)
            }
            title = f"{metric.title}, {axis}s compared with {first}"
            yield PairedTable(title, DEFENSE, shown[DEFENSE], shown[ATTACK], cells)


def _make_lists(study: Study) -> Iterator[PairedTable]:
    for axis, (first, *_) in study.axes.items():
        if axis == SEED:
            continue
        cells = {
            (join_labels(each.contrast.labels), metric.title): each
            for metric in list_metrics(study)
            for each in _differences(study, metric, axis=axis)
        }
        rows, columns = (tuple(dict.fromkeys(key[side] for key in cells)) for side in (0, 1))
        yield PairedTable(f"Compared with {axis} {first}", axis, rows, columns, cells)


def _differences(study: Study, metric: Metric, *, axis: str) -> Iterator[Difference]:
    """Yield the finite differences."""
    for contrast in compare_cells(study.frame, metric.column, axis=axis, reference=study.axes[axis][0]):
        if isfinite(contrast.comparison.difference):
            yield Difference(metric, contrast, study.gap)


def _format_p(value: float) -> str:
    return f"p < {LEAST_P:g}" if value < LEAST_P else f"p {value:.3f}"
