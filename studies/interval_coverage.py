"""Measure how often intervals over seeds contain the true mean; `python -m studies.interval_coverage` prints tables."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy import stats

from sparring.experiments.analysis.statistics import CONFIDENCE, FEWEST_TO_RESAMPLE, Floats, name_method
from sparring.random import stream

TAIL = (1 - CONFIDENCE) / 2
CHUNK = 500
RESAMPLES = 1999
SEEDS = (3, 5, 10, 20)

Draw = Callable[[Generator, tuple[int, int]], Floats]
Bounds = tuple[Floats, Floats]


class Trials(NamedTuple):
    """Samples, one per row, with the sorted means and the sorted studentized means of their resamples."""

    samples: Floats
    means: Floats
    studentized: Floats

    @property
    def center(self) -> Floats:
        return self.samples.mean(axis=1)

    @property
    def spread(self) -> Floats:
        return self.samples.std(axis=1, ddof=1)


def collapsing(rng: Generator, shape: tuple[int, int]) -> Floats:
    """Draw accuracies near 0.9, except for one seed in ten, which ends at 0.1."""
    return np.where(rng.random(shape) < 0.1, 0.1, rng.normal(0.9, 0.01, shape))


def difference(first: Draw, second: Draw) -> Draw:
    """Return a function that draws paired differences."""
    return lambda rng, shape: first(rng, shape) - second(rng, shape)


def beta(a: float, b: float) -> Draw:
    return lambda rng, shape: rng.beta(a, b, shape)


DRAWN: Mapping[str, tuple[Draw, float]] = {
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
    "accuracy near 0.9, beta(90, 10)": (beta(90, 10), 0.9),
    "accuracy near 0.9 of 500 examples, binomial": (lambda rng, shape: rng.binomial(500, 0.9, shape) / 500, 0.9),
    "accuracy near 0.8, widely spread, beta(4, 1)": (beta(4, 1), 0.8),
    "accuracy close to 1, skewed, beta(19, 1)": (beta(19, 1), 0.95),
    "skewed, exponential": (lambda rng, shape: rng.exponential(1, shape), 1.0),
    "pairs: beta(19, 1) minus beta(8, 2)": (difference(beta(19, 1), beta(8, 2)), 0.15),
    "pairs: beta(90, 10) minus beta(4, 1)": (difference(beta(90, 10), beta(4, 1)), 0.1),
    "pairs: both beta(19, 1)": (difference(beta(19, 1), beta(19, 1)), 0.0),
    "pairs: both of 100 examples": (
        lambda rng, shape: (rng.binomial(100, 0.9, shape) - rng.binomial(100, 0.9, shape)) / 100,
        0.0,
    ),
}
"""The distributions of the values, and their means."""
COLLAPSING = "one seed in ten collapses"


def t(trials: Trials) -> Bounds:
    half = _quantile(trials) * trials.spread / sqrt(trials.samples.shape[1])
    return trials.center - half, trials.center + half


def percentile(trials: Trials) -> Bounds:
    return _at(trials.means, TAIL), _at(trials.means, 1 - TAIL)


def expanded(trials: Trials) -> Bounds:
    n = trials.samples.shape[1]
    tail = float(stats.norm.cdf(-sqrt(n / (n - 1)) * _quantile(trials)))
    return _at(trials.means, tail), _at(trials.means, 1 - tail)


def studentized(trials: Trials) -> Bounds:
    low, high = (_at(trials.studentized, level) for level in (1 - TAIL, TAIL))
    return trials.center - low * trials.spread, trials.center - high * trials.spread


def accelerated(trials: Trials) -> Bounds:
    """Return the bias-corrected and accelerated interval, BCa (Efron, 1987)."""
    below = (trials.means < trials.center[:, None]).mean(axis=1)
    bias = stats.norm.ppf(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
    pulls = trials.samples - trials.center[:, None]
    acceleration = (pulls**3).sum(axis=1) / np.maximum(6 * (pulls**2).sum(axis=1) ** 1.5, 1e-12)
    bounds = []
    for level in (TAIL, 1 - TAIL):
        moved = bias + stats.norm.ppf(level)
        levels = stats.norm.cdf(bias + moved / (1 - acceleration * moved))
        indices = np.clip((levels * RESAMPLES).astype(int), 0, RESAMPLES - 1)
        bounds.append(np.take_along_axis(trials.means, indices[:, None], axis=1)[:, 0])
    return bounds[0], bounds[1]


METHODS: Mapping[str, Callable[[Trials], Bounds]] = {
    "t": t,
    "percentile": percentile,
    "BCa": accelerated,
    "studentized": studentized,
    "expanded percentile": expanded,
}
CHOSEN = {"t": "t", "bootstrap": "expanded percentile"}


def chosen(n: int) -> str:
    """Return the method of Sparring's interval for `n` seeds."""
    return CHOSEN[name_method(n)]


def drawn(draw: Draw, n: int, *, trials: int, rng: Generator) -> Iterator[Trials]:
    """Yield samples of `n` values with their resamples, in chunks."""
    counts = rng.multinomial(n, [1 / n] * n, RESAMPLES).astype(float)
    for _ in range(trials // CHUNK):
        samples = draw(rng, (CHUNK, n))
        means = samples @ counts.T / n
        spreads = np.sqrt(np.maximum(samples**2 @ counts.T / n - means**2, 0) * n / (n - 1))
        off = means - samples.mean(axis=1)[:, None]
        has_spread = spreads > 1e-7
        ratios = np.where(has_spread, off / np.where(has_spread, spreads, 1), np.sign(off) * 1e9)
        yield Trials(samples, np.sort(means), np.sort(ratios))


def covered(draw: Draw, mean: float, *, n: int, trials: int) -> dict[str, tuple[float, float]]:
    """Return for each method the share of intervals that contain the mean, and their median width."""
    rng = stream(0, "coverage", n)
    found: dict[str, list[Bounds]] = {name: [] for name in METHODS}
    for some in drawn(draw, n, trials=trials, rng=rng):
        for name, bounds in METHODS.items():
            found[name].append(bounds(some))
    sides = {name: [np.concatenate(side) for side in zip(*bounds, strict=True)] for name, bounds in found.items()}
    return {
        name: (float(((low <= mean) & (mean <= high)).mean()), float(np.median(high - low)))
        for name, (low, high) in sides.items()
    }


def tables(trials: int) -> Iterator[str]:
    """Yield the coverage of Sparring's intervals, then of all methods with ten seeds, as Markdown."""
    shares = {name: {n: covered(draw, mean, n=n, trials=trials) for n in SEEDS} for name, (draw, mean) in DRAWN.items()}
    yield _row(("values", *(f"{n} seeds, {chosen(n)}" for n in SEEDS)))
    yield _row(["---"] + ["---:"] * len(SEEDS))
    for name, by_seeds in shares.items():
        yield _row((name, *(f"{by_seeds[n][chosen(n)][0]:.1%}" for n in SEEDS)))
    yield ""
    yield _row((f"values, {FEWEST_TO_RESAMPLE} seeds", *METHODS))
    yield _row(["---"] + ["---:"] * len(METHODS))
    for name, by_seeds in shares.items():
        yield _row((name, *(f"{share:.1%}" for share, _ in by_seeds[FEWEST_TO_RESAMPLE].values())))
    width = covered(collapsing, 0.82, n=FEWEST_TO_RESAMPLE, trials=trials)
    yield _row((f"{COLLAPSING}: median width", *(f"{wide:.2f}" for _, wide in width.values())))


def _quantile(trials: Trials) -> float:
    return float(stats.t.ppf(1 - TAIL, trials.samples.shape[1] - 1))


def _at(ordered: Floats, level: float) -> Floats:
    values: Floats = ordered[:, round(level * (ordered.shape[1] - 1))]
    return values


def _row(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=20000, help="samples of each kind and size")
    for line in tables(options.parse_args().trials):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
