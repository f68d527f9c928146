"""Accuracy over rounds: the mean over seeds, and how far the seeds lie apart."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sparring.experiments.plots import Curve
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, called_together
from sparring.experiments.tables import Labels

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
