"""Tables of paired comparisons: how far a cell is from the one with the first label of an axis, seed by seed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.experiments.analysis.frames import Contrast, contrasts
from sparring.experiments.analysis.statistics import SMALLEST_GAP, interval_named, reading
from sparring.experiments.report.score_tables import Key, Metric, metrics
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED, called_together

LEAST_P = 0.001
"""Below this a p-value is not written out."""


class Difference(NamedTuple):
    """What a cell has more of a metric than the one that it is compared with."""

    metric: Metric
    contrast: Contrast
    gap: float = SMALLEST_GAP
    """The smallest that counts."""

    @property
    def winner(self) -> str:
        """Whom the whole interval speaks for, `defender` or `attacker`: nobody where no difference that counts is."""
        read = reading(self.contrast.comparison, self.gap)
        if read not in ("more", "less"):
            return ""
        return "defender" if (read == "more") == self.metric.is_wanted else "attacker"

    @property
    def said(self) -> str:
        """What the interval says where it speaks for nobody: `no difference`, none that counts, or `undecided`."""
        if self.winner or self.contrast.comparison.low is None:
            return ""
        return reading(self.contrast.comparison, self.gap).removesuffix(" that counts")

    @property
    def told(self) -> tuple[str, ...]:
        """The mean difference, its interval, effect size and corrected p-value as far as there are any, seeds, and
        what is said where nobody wins.
        """
        n, difference, low, high, effect, _ = self.contrast.comparison
        interval = "no interval" if low is None else f"{low:+.3f} to {high:+.3f}"
        tests = [] if effect is None else [f"d {effect:.1f}"]
        if self.contrast.p is not None:
            tests.append(_p(self.contrast.p))
        return tuple(filter(None, (f"{difference:+.3f}", interval, ", ".join(tests), f"n = {n}", self.said)))


@dataclass(frozen=True)
class PairedTable:
    """Differences by row and column, as the cells of heat tables; a place without common seeds has none."""

    title: str
    corner: str
    rows: Key
    columns: Key
    cells: Mapping[tuple[str, str], Difference]

    __repr__ = briefly

    @property
    def is_paired(self) -> bool:
        """Say whether anything has more than one common seed."""
        return any(each.contrast.comparison.n > 1 for each in self.cells.values())


def interval_of(tables: Iterable[PairedTable]) -> str:
    """Name the intervals of the differences in tables."""
    return interval_named(each.contrast.comparison.n for table in tables for each in table.cells.values())


def make_paired_tables(study: Study) -> tuple[PairedTable, ...]:
    """Compare what an axis varies with the first of it, defenses and attacks in a grid; one seed compares nothing."""
    tables = _grids(study) if study.is_grid else _lists(study)
    return tuple(table for table in tables if table.is_paired)


def _grids(study: Study) -> Iterator[PairedTable]:
    for metric in metrics(study):
        for axis in (DEFENSE, ATTACK):
            first, *others = study.axes[axis]
            shown = {DEFENSE: study.axes[DEFENSE], ATTACK: study.axes[ATTACK], axis: tuple(others)}
            cells = {
                (each.contrast.labels[DEFENSE], each.contrast.labels[ATTACK]): each
                for each in _differences(study, metric, axis=axis)
            }
            title = f"{metric.title}, {axis}s compared with {first}"
            yield PairedTable(title, DEFENSE, shown[DEFENSE], shown[ATTACK], cells)


def _lists(study: Study) -> Iterator[PairedTable]:
    for axis, (first, *_) in study.axes.items():
        if axis == SEED:
            continue
        cells = {
            (called_together(each.contrast.labels), metric.title): each
            for metric in metrics(study)
            for each in _differences(study, metric, axis=axis)
        }
        rows, columns = (tuple(dict.fromkeys(place[side] for place in cells)) for side in (0, 1))
        yield PairedTable(f"Compared with {axis} {first}", axis, rows, columns, cells)


def _differences(study: Study, metric: Metric, *, axis: str) -> Iterator[Difference]:
    """Yield the differences that are numbers."""
    for contrast in contrasts(study.frame, metric.column, axis=axis, reference=study.axes[axis][0]):
        if isfinite(contrast.comparison.difference):
            yield Difference(metric, contrast, study.gap)


def _p(value: float) -> str:
    return f"p < {LEAST_P:g}" if value < LEAST_P else f"p {value:.3f}"
