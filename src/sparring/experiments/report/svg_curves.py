"""Curves over rounds: what is drawn, and the drawing in SVG."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sparring.experiments.analysis.frames import Labels
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, called_together

MOST_POINTS = 120
"""Points of a curve that are drawn: more are not told apart on a page."""
MOST_LINES = 7
"""Lines of a plot that are drawn where the study does not say which belong together."""


class Band(NamedTuple):
    """The mean, the least and the largest value over seeds after each round."""

    rounds: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Plot(NamedTuple):
    """Curves to be compared, by name."""

    title: str
    bands: Mapping[str, Band]
    unit: str = "round"
    """What is counted from left to right."""


def plots(study: Study) -> tuple[Plot, ...]:
    """Return the curves of a study: those of a grid attack by attack, with a line a defense."""
    if study.is_grid:
        defenses = [{DEFENSE: defense} for defense in study.axes[DEFENSE]]
        found = [Plot(attack, _bands(study.where({ATTACK: attack}), defenses)) for attack in study.axes[ATTACK]]
    else:
        lines = study.combinations()
        parts = [lines[first : first + MOST_LINES] for first in range(0, len(lines), MOST_LINES)]
        found = [Plot("", _bands(study, part)) for part in parts]
    return tuple(plot for plot in found if plot.bands)


def band(curves: Iterable[Curve]) -> Band:
    """Return what curves come to after the rounds that all of them were evaluated after."""
    values = [dict(curve) for curve in curves]
    rounds = sorted(set.intersection(*map(set, values)))
    if len(rounds) > MOST_POINTS:
        rounds = [rounds[place] for place in np.linspace(0, len(rounds) - 1, MOST_POINTS).round().astype(int)]
    matrix = np.array([[each[round] for round in rounds] for each in values])
    return Band(rounds, matrix.mean(axis=0).tolist(), matrix.min(axis=0).tolist(), matrix.max(axis=0).tolist())


def _bands(study: Study, lines: Iterable[Labels]) -> dict[str, Band]:
    parts = {called_together(labels) or study.name: study.where(labels).frame["run"] for labels in lines}
    return {name: band(study.curves[run] for run in runs) for name, runs in parts.items() if len(runs)}


class Frame(NamedTuple):
    """The size of a picture, and where its axes lie in it."""

    width: int = 360
    height: int = 230
    left: int = 38
    right: int = 343
    top: int = 10
    bottom: int = 194


FRAME = Frame()
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The accuracies that have a line."""
MOST_TICKS = 6
COLORS, DASHES = 7, 4
"""How many kinds of line the page's style has: without a common factor, so that they go together in many ways."""


class Tick(NamedTuple):
    """A place on an axis, and what is written there."""

    place: float
    label: str


class SvgLine(NamedTuple):
    """A curve: its name, the class of its style, its path, and the outline of its band, if it has one."""

    name: str
    style: str
    path: str
    outline: str


class Picture(NamedTuple):
    """What is drawn, and what it shows in words."""

    title: str
    told: str
    lines: tuple[SvgLine, ...]
    rounds: tuple[Tick, ...]
    accuracies: tuple[Tick, ...]
    unit: str


def picture(plot: Plot, legend: Sequence[str]) -> Picture:
    """Draw a plot."""
    last = max(band.rounds[-1] for band in plot.bands.values())
    return Picture(
        title=plot.title,
        told=_told(plot),
        lines=tuple(
            _line(name, band, last=last, style=line_style(legend.index(name))) for name, band in plot.bands.items()
        ),
        rounds=tuple(Tick(_across(round, last), str(round)) for round in ticks(last)),
        accuracies=tuple(Tick(_up(share), f"{share:g}") for share in SHARES),
        unit=plot.unit,
    )


def line_style(place: int) -> str:
    """Return the class of the line that stands at a place of the legend."""
    return f"c{place % COLORS} d{place % DASHES}"


def ticks(last: int) -> range:
    """Return a few round numbers from 0 to `last`."""
    decade = 10 ** (len(str(last)) - 1)
    steps = (decade * factor // 10 for factor in (1, 2, 5, 10, 20))
    step = next(step for step in steps if step > 0 and last // step < MOST_TICKS)
    return range(0, last + 1, step)


def _line(name: str, band: Band, *, last: int, style: str) -> SvgLine:
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


def _told(plot: Plot) -> str:
    ends = ", ".join(f"{name} {band.mean[-1]:.3f}" for name, band in plot.bands.items())
    return f"Accuracy over {plot.unit}s; after the last one: {ends}"
