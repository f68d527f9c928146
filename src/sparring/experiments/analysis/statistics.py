"""What results over seeds say: summaries of one cell, and comparisons of two that were played with the same seeds."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, isnan, nan, sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sparring.errors import ConfigError
from sparring.random import stream

CONFIDENCE = 0.95
RESAMPLES = 9999
FEWEST_TO_RESAMPLE = 10
"""Values from which on the interval is a bootstrap's; fewer have Student's t interval."""
FEWEST_TO_DECIDE = 3
"""Common seeds below which nothing is decided."""
SMALLEST_GAP = 0.02
"""The smallest difference that counts, unless somebody says otherwise."""
FEWEST_TO_TEST = 6
"""Common seeds from which on the signed-rank test can reject at 5 %: the least p of n pairs is 2 / 2^n."""
PLACES = 12
"""Decimals of a difference: what rounding alone tells apart is a tie."""

Floats = NDArray[np.float64]
Reading = Literal["more", "less", "no difference that counts", "undecided"]
"""What the interval of a difference says."""


class Summary(NamedTuple):
    """The mean of `n` seeds, their standard deviation (n - 1), and the 95 % interval of the mean.

    The interval is Student's t interval below ten seeds, and that of the expanded percentile bootstrap from ten on.
    One seed has a mean alone. Where a value is not finite, the mean is not a number, and nothing else is given.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """What `first - second` is on `n` common seeds, with the 95 % interval of the mean difference, as in a summary.

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


def summary(values: ArrayLike, *, least: float = -inf, most: float = inf) -> Summary:
    """Summarize one value a seed; the interval does not go beyond the `least` and the `most` that is possible."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ConfigError(f"summary: values of shape {list(sample.shape)}; give one value a seed, and at least one")
    mean = _mean(sample)
    if sample.size == 1 or isnan(mean):
        return Summary(sample.size, mean, None, None, None)
    low, high = _interval(sample)
    return Summary(sample.size, mean, float(sample.std(ddof=1)), max(low, least), min(high, most))


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


def reading(comparison: Comparison, gap: float = SMALLEST_GAP) -> Reading:
    """Say what a whole interval says of a difference, `gap` being the smallest that counts.

    It is `more` or `less` beyond the gap on that side, and no difference that counts within the gap on both sides. All
    else is undecided, and so are fewer than three seeds and what is not finite.
    """
    n, _, low, high, *_ = comparison
    if low is None or high is None or n < FEWEST_TO_DECIDE:
        return "undecided"
    if low > gap or high < -gap:
        return "more" if low > gap else "less"
    return "no difference that counts" if max(-low, high) <= gap else "undecided"


def method(n: int) -> str:
    """Name the method by which the interval of `n` values is made; one value has none."""
    if n < 2:
        return ""
    return "t" if n < FEWEST_TO_RESAMPLE else "bootstrap"


def interval_named(counts: Iterable[int]) -> str:
    """Name the intervals of means of so many values each, as in `95 % t interval`."""
    made = {method(n) for n in counts} - {""}
    if made == {"t"}:
        return "95 % t interval"
    if made == {"bootstrap"}:
        return "95 % bootstrap interval (expanded percentile)"
    return f"95 % interval (t below {FEWEST_TO_RESAMPLE} seeds, expanded percentile bootstrap from then on)"


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
    """Return the interval of the mean: Student's of few values, that of a bootstrap of many."""
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    return _t_interval(sample) if len(sample) < FEWEST_TO_RESAMPLE else _bootstrap_interval(sample)


def _t_interval(sample: Floats) -> tuple[float, float]:
    center, half = float(sample.mean()), _quantile(len(sample)) * float(stats.sem(sample))
    return center - half, center + half


def _bootstrap_interval(sample: Floats) -> tuple[float, float]:
    """Return the expanded percentile interval (Hesterberg, 2015).

    Resamples spread by the factor sqrt((n - 1) / n) too little, and with normal tails where those of t are due: the
    percentiles are moved apart to make up for both.
    """
    n = len(sample)
    expanded = 1 - 2 * stats.norm.cdf(-sqrt(n / (n - 1)) * _quantile(n))
    resampled = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=expanded,
        method="percentile",
        rng=stream(0, "bootstrap"),
    )
    # Means of alike values are rounded past these, and the bounds past each other.
    low, high = np.sort(np.clip(resampled.confidence_interval, sample.min(), sample.max()))
    return float(low), float(high)


def _quantile(n: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))


def _effect(differences: Floats) -> float | None:
    if np.ptp(differences) == 0:
        return None
    return float(differences.mean() / differences.std(ddof=1))


def _p(differences: Floats) -> float | None:
    if len(differences) < FEWEST_TO_TEST:
        return None
    # Where nothing differs the test has no ranks to add up.
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
