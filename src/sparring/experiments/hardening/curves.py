"""Learning curves of a hardening: the mean return in each generation of a search, and in each iteration of learning."""

from collections.abc import Iterator, Mapping, Sequence
from math import floor, log10
from pathlib import Path
from typing import NamedTuple

from sparring.experiments.hardening.context import RETURNS
from sparring.experiments.hardening.followers import follower_file
from sparring.experiments.hardening.plan import CONSTANT, POLICY
from sparring.experiments.jobs.atomic_files import read_json
from sparring.experiments.report.svg_curves import Picture, Plot, draw_picture, make_band

SMALLEST = 0.04
"""The smallest range of an axis."""
FEWEST = 2
"""The smallest number of points of a curve."""


class LearningCurves(NamedTuple):
    """What was learned in one picture: returns by name."""

    title: str
    unit: str
    returns: Mapping[str, Sequence[float]]


def read_curves(folder: Path, adaptive: Sequence[str]) -> tuple[LearningCurves, ...]:
    """Return the curves in a hardening's folder, given its adaptive types, as far as they were recorded."""
    attackers = {name: follower_file(folder, name).with_suffix("") for name in adaptive}
    found = (
        LearningCurves("Attackers, trained before", "generation", _read(attackers)),
        LearningCurves("The best constant action", "generation", _read({"constant action": folder / CONSTANT})),
        LearningCurves("The policy", "iteration", _read({"policy": folder / POLICY})),
    )
    return tuple(each for each in found if each.returns)


def _read(folders: Mapping[str, Path]) -> dict[str, Sequence[float]]:
    recorded = {name: read_json(folder / RETURNS) for name, folder in folders.items()}
    return {name: returns for name, returns in recorded.items() if returns and len(returns) >= FEWEST}


def list_names(curves: Sequence[LearningCurves]) -> tuple[str, ...]:
    """Return the names of all curves, in the order of their colors."""
    return tuple(name for each in curves for name in each.returns)


def draw_curves(curves: Sequence[LearningCurves]) -> Iterator[Picture]:
    """Draw a picture of each, over the numbers of generations or iterations; the axis fits the returns."""
    names = list_names(curves)
    for title, unit, returns in curves:
        values = [value for each in returns.values() for value in each]
        span = choose_span(min(values), max(values))
        bands = {name: make_band([list(enumerate(each, start=1))]) for name, each in returns.items()}
        yield draw_picture(Plot(title, bands, unit, measured="Mean return", span=span), names)


def choose_span(low: float, high: float) -> tuple[float, float]:
    """Return a range around two values that has four parts of a round size."""
    decade = 10.0 ** floor(log10(max(high - low, SMALLEST) / 4))
    for step in (decade * factor for factor in (1, 2, 2.5, 5, 10, 20)):
        begin = step * floor(low / step)
        if begin + 4 * step >= high:
            return begin, begin + 4 * step
    raise AssertionError("the largest step covers the range")
