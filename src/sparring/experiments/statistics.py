"""What results over seeds say: summaries of one cell, and comparisons of two that were played with the same seeds."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sparring.errors import ConfigError
from sparring.random import stream

CONFIDENCE = 0.95
RESAMPLES = 9999
FEWEST_TO_TEST = 6
"""Common seeds from which on the signed-rank test can reject at 5 %: the least p of n pairs is 2 / 2^n."""
PLACES = 12
"""Decimals of a difference: what rounding alone tells apart is a tie."""

Floats = NDArray[np.float64]


class Summary(NamedTuple):
    """The mean of `n` seeds, their standard deviation (n - 1), and the 95 % bootstrap interval of the mean.

    One seed has a mean alone. Where a value is not finite, the mean is not a number, and nothing else is given.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """What `first - second` is on `n` common seeds, with the 95 % bootstrap interval of the mean difference.

    `effect` is Cohen's d of paired values, the mean over the standard deviation of the differences: none where all are
    alike. `p` is that of the two-sided Wilcoxon signed-rank test: none below six seeds, where it cannot reject. One
    seed has a difference alone; where a value is not finite, that is not a number either.
    """

    n: int
    difference: float
    low: float | None
    high: float | None
    effect: float | None
    p: float | None


def summary(values: ArrayLike) -> Summary:
    """Summarize one value a seed."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ConfigError(f"summary: values of shape {list(sample.shape)}; give one value a seed, and at least one")
    mean = _mean(sample)
    if sample.size == 1 or isnan(mean):
        return Summary(sample.size, mean, None, None, None)
    return Summary(sample.size, mean, float(sample.std(ddof=1)), *_interval(sample))


def compare(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison:
    """Compare two cells, given the value of each seed, on the seeds that both were played with."""
    common = sorted(first.keys() & second.keys())
    if not common:
        raise ConfigError(f"compare: seeds {sorted(first)} and {sorted(second)}; at least one must be in both")
    differences = np.round([first[seed] - second[seed] for seed in common], PLACES)
    mean = _mean(differences)
    if len(common) == 1 or isnan(mean):
        return Comparison(len(common), mean, None, None, None, None)
    return Comparison(len(common), mean, *_interval(differences), _effect(differences), _p(differences))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number (Holm, 1979); tests that were not made do not count."""
    made = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    least = 0.0
    for rank, (p, place) in enumerate(made):
        least = min(1.0, max(least, p * (len(made) - rank)))
        corrected[place] = least
    return corrected


def written(summary: Summary, digits: int = 3, *, interval: bool = True) -> str:
    """Write a summary as in `0.93 ± 0.01 [0.92, 0.94], n = 3`, or without the interval; of one seed `0.93 (n = 1)`."""
    n, mean, std, low, high = summary
    if isnan(mean):
        return f"not finite (n = {n})"
    if std is None:
        return f"{mean:.{digits}f} (n = {n})"
    between = f" [{low:.{digits}f}, {high:.{digits}f}]" if interval else ""
    return f"{mean:.{digits}f} ± {std:.{digits}f}{between}, n = {n}"


def _mean(sample: Floats) -> float:
    return float(sample.mean()) if np.isfinite(sample).all() else nan


def _interval(sample: Floats) -> tuple[float, float]:
    """Return the percentile interval: the kind of bootstrap interval that two values, and equal ones, still have."""
    resampled = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=stream(0, "bootstrap"),
    )
    # Means of alike values are rounded past these, and the bounds past each other.
    low, high = np.sort(np.clip(resampled.confidence_interval, sample.min(), sample.max()))
    return float(low), float(high)


def _effect(differences: Floats) -> float | None:
    if np.ptp(differences) == 0:
        return None
    return float(differences.mean() / differences.std(ddof=1))


def _p(differences: Floats) -> float | None:
    if len(differences) < FEWEST_TO_TEST:
        return None
    # Where nothing differs the test has no ranks to add up.
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
