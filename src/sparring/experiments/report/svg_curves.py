"""Curves over rounds, and their drawing in SVG."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sparring.experiments.analysis.frames import Labels
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, join_labels

MOST_POINTS = 120
"""The maximum number of drawn points of a curve: more are not visible on a page."""
MOST_LINES = 7
"""The maximum number of lines in a plot of a study that is not a grid."""


class Band(NamedTuple):
    """The mean, the minimum and the maximum over seeds after each round."""

    rounds: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Plot(NamedTuple):
    """Curves by name, for one set of axes."""

    title: str
    bands: Mapping[str, Band]
    unit: str = "round"
    """The unit of the horizontal axis."""
    measured: str = "Accuracy"
    """What the vertical axis shows."""
    span: tuple[float, float] = (0.0, 1.0)
    """The lowest and the highest value of the vertical axis."""


def make_plots(study: Study) -> tuple[Plot, ...]:
    """Return the plots of a study: for a grid, one plot per attack with one line per defense."""
    if study.is_grid:
        defenses = [{DEFENSE: defense} for defense in study.axes[DEFENSE]]
        found = [Plot(attack, _make_bands(study.where({ATTACK: attack}), defenses)) for attack in study.axes[ATTACK]]
    else:
        lines = study.combinations()
        parts = [lines[first : first + MOST_LINES] for first in range(0, len(lines), MOST_LINES)]
        found = [Plot("", _make_bands(study, part)) for part in parts]
    return tuple(plot for plot in found if plot.bands)


def make_band(curves: Iterable[Curve]) -> Band:
    """Return the band of several curves over their common rounds."""
    values = [dict(curve) for curve in curves]
    rounds = sorted(set.intersection(*map(set, values)))
    if len(rounds) > MOST_POINTS:
        rounds = [rounds[index] for index in np.linspace(0, len(rounds) - 1, MOST_POINTS).round().astype(int)]
    matrix = np.array([[each[round] for round in rounds] for each in values])
    return Band(rounds, matrix.mean(axis=0).tolist(), matrix.min(axis=0).tolist(), matrix.max(axis=0).tolist())


def _make_bands(study: Study, lines: Iterable[Labels]) -> dict[str, Band]:
    parts = {join_labels(labels) or study.name: study.where(labels).frame["run"] for labels in lines}
    return {name: make_band(study.curves[run] for run in runs) for name, runs in parts.items() if len(runs)}


class Frame(NamedTuple):
    """The size of a picture, and the position of its axes."""

    width: int = 360
    height: int = 230
    left: int = 38
    right: int = 343
    top: int = 10
    bottom: int = 194


FRAME = Frame()
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The parts of the vertical axis with a grid line."""
MOST_TICKS = 6
COLORS, DASHES = 7, 4
"""The numbers of colors and dash patterns in the style sheet; they are coprime, so that all combinations occur."""


class Tick(NamedTuple):
    """A position on an axis, and its label."""

    place: float
    label: str


class SvgLine(NamedTuple):
    """A curve: its name, its CSS classes, its path, and the outline of its band, if any."""

    name: str
    style: str
    path: str
    outline: str


class Picture(NamedTuple):
    """A drawing, and its description in words."""

    title: str
    description: str
    lines: tuple[SvgLine, ...]
    rounds: tuple[Tick, ...]
    accuracies: tuple[Tick, ...]
    unit: str


def draw_picture(plot: Plot, legend: Sequence[str]) -> Picture:
    """Draw a plot."""
    last = max(band.rounds[-1] for band in plot.bands.values())
    return Picture(
        title=plot.title,
        description=_describe_plot(plot),
        lines=tuple(
            _draw_line(name, _to_shares(band, plot.span), last=last, style=line_classes(legend.index(name)))
            for name, band in plot.bands.items()
        ),
        rounds=tuple(Tick(_across(round, last), str(round)) for round in choose_ticks(last)),
        accuracies=tuple(Tick(_up(share), _label(share, plot.span)) for share in SHARES),
        unit=plot.unit,
    )


def _label(share: float, span: tuple[float, float]) -> str:
    """Return the value at a part of the vertical axis."""
    low, high = span
    return f"{round(low + share * (high - low), 9):g}"


def _to_shares(band: Band, span: tuple[float, float]) -> Band:
    """Return a band whose values are parts of the vertical axis."""
    low, high = span
    mean, least, most = ([(value - low) / (high - low) for value in values] for values in band[1:])
    return Band(band.rounds, mean, least, most)


def line_classes(index: int) -> str:
    """Return the CSS classes of the line at an index of the legend."""
    return f"c{index % COLORS} d{index % DASHES}"


def choose_ticks(last: int) -> range:
    """Return a few round numbers from 0 to `last`."""
    decade = 10 ** (len(str(last)) - 1)
    steps = (decade * factor // 10 for factor in (1, 2, 5, 10, 20))
    step = next(step for step in steps if step > 0 and last // step < MOST_TICKS)
    return range(0, last + 1, step)


def _draw_line(name: str, band: Band, *, last: int, style: str) -> SvgLine:
    across = [_across(round, last) for round in band.rounds]
    upper = list(zip(across, map(_up, band.high), strict=True))
    lower = list(zip(across, map(_up, band.low), strict=True))
    outline = "" if upper == lower else _path([*upper, *reversed(lower)]) + "Z"
    return SvgLine(name, style, _path(zip(across, map(_up, band.mean), strict=True)), outline)


def _across(round: int, last: int) -> float:
    return FRAME.left + (FRAME.right - FRAME.left) * round / max(1, last)


def _up(share: float) -> float:
    return FRAME.bottom - (FRAME.bottom - FRAME.top) * share


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _describe_plot(plot: Plot) -> str:
    ends = ", ".join(f"{name} {band.mean[-1]:.3f}" for name, band in plot.bands.items())
    return f"{plot.measured} over {plot.unit}s; after the last one: {ends}"
