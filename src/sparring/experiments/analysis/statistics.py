"""Statistics over seeds: summaries of one cell, and paired comparisons of two cells on common seeds."""

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
"""From this number of values on, the interval is a bootstrap interval; below, it is Student's t interval."""
FEWEST_TO_DECIDE = 3
"""With fewer common seeds nothing is decided."""
SMALLEST_GAP = 0.02
"""The default of the smallest difference that counts."""
FEWEST_TO_TEST = 6
"""From this number of common seeds on, the signed-rank test can reject at 5 %: its smallest p-value is 2 / 2^n."""
PLACES = 12
"""Decimals of a difference: differences due to rounding count as ties."""

Floats = NDArray[np.float64]
Reading = Literal["more", "less", "no difference that counts", "undecided"]
"""The interpretation of a difference's interval."""


class Summary(NamedTuple):
    """The mean over `n` seeds, the standard deviation (n - 1), and the 95 % confidence interval of the mean.

    The interval is Student's t interval below ten seeds, and the expanded percentile bootstrap interval from ten on.
    One seed has only a mean. If a value is not finite, the mean is NaN and everything else is None.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None


class Comparison(NamedTuple):
    """The paired difference `first - second` on `n` common seeds, with the 95 % confidence interval of its mean.

    `effect` is Cohen's d of paired values, the mean over the standard deviation of the differences: None if all are
    equal. `p` is the p-value of the two-sided Wilcoxon signed-rank test: None below six seeds, where it cannot reject.
    One seed has only a difference. If a value is not finite, the difference is NaN.
    """

    n: int
    difference: float
    low: float | None
    high: float | None
    effect: float | None
    p: float | None


def summarize(values: ArrayLike, *, least: float = -inf, most: float = inf) -> Summary:
    """Summarize one value per seed; the interval is clipped to the bounds `least` and `most`."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ConfigError(f"summary: values of shape {list(sample.shape)}; give one value per seed, and at least one")
    mean = _mean(sample)
    if sample.size == 1 or isnan(mean):
        return Summary(sample.size, mean, None, None, None)
    low, high = _interval(sample)
    return Summary(sample.size, mean, float(sample.std(ddof=1)), max(low, least), min(high, most))


def compare(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison:
    """Compare two cells, given as a value per seed, on their common seeds."""
    common = sorted(first.keys() & second.keys())
    if not common:
        raise ConfigError(f"compare: seeds {sorted(first)} and {sorted(second)}; at least one must be in both")
    differences = np.round([first[seed] - second[seed] for seed in common], PLACES)
    mean = _mean(differences)
    if len(common) == 1 or isnan(mean):
        return Comparison(len(common), mean, None, None, None, None)
    return Comparison(len(common), mean, *_interval(differences), _effect(differences), _p(differences))


def interpret(comparison: Comparison, gap: float = SMALLEST_GAP) -> Reading:
    """Interpret the interval of a difference; `gap` is the smallest difference that counts.

    The reading is `more` or `less` if the whole interval lies beyond the gap on that side, and `no difference that
    counts` if it lies within the gap. Otherwise, below three seeds, and for non-finite values, it is `undecided`.
    """
    n, _, low, high, *_ = comparison
    if low is None or high is None or n < FEWEST_TO_DECIDE:
        return "undecided"
    if low > gap or high < -gap:
        return "more" if low > gap else "less"
    return "no difference that counts" if max(-low, high) <= gap else "undecided"


def name_method(n: int) -> str:
    """Name the method of the interval of `n` values; one value has no interval."""
    if n < 2:
        return ""
    return "t" if n < FEWEST_TO_RESAMPLE else "bootstrap"


def name_interval(counts: Iterable[int]) -> str:
    """Name the intervals of means over these numbers of values, as in `95 % t interval`."""
    made = {name_method(n) for n in counts} - {""}
    if made == {"t"}:
        return "95 % t interval"
    if made == {"bootstrap"}:
        return "95 % bootstrap interval (expanded percentile)"
    return f"95 % interval (t below {FEWEST_TO_RESAMPLE} seeds, expanded percentile bootstrap otherwise)"


def correct_holm(ps: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for multiple testing (Holm, 1979); None marks a test that was not made and does not count."""
    made = sorted((p, index) for index, p in enumerate(ps) if p is not None)
    corrected: list[float | None] = [None] * len(ps)
    least = 0.0
    for rank, (p, index) in enumerate(made):
        least = min(1.0, max(least, p * (len(made) - rank)))
        corrected[index] = least
    return corrected


def format_summary(summary: Summary, digits: int = 3, *, interval: bool = True) -> str:
    """Format a summary as in `0.93 ± 0.01 [0.92, 0.94], n = 3`, or without the interval; one seed as `0.93 (n = 1)`."""
    n, mean, std, low, high = summary
    if isnan(mean):
        return f"not finite (n = {n})"
    if std is None:
        return f"{mean:.{digits}f} (n = {n})"
    between = f" [{low:.{digits}f}, {high:.{digits}f}]" if interval else ""
    return f"{mean:.{digits}f} ± {std:.{digits}f}{between}, n = {n}"


def format_difference(difference: Comparison, digits: int = 3) -> str:
    """Format a paired difference as in `+0.03 [+0.01, +0.05], n = 5`; one seed has no interval."""
    n, value, low, high, *_ = difference
    return f"{format_value(value, low, high, digits=digits, sign='+')}, n = {n}"


def format_value(
    value: float, low: float | None = None, high: float | None = None, *, digits: int = 3, sign: str = ""
) -> str:
    """Format a number and its interval, if there is one, as in `0.03 [0.01, 0.05]`; `sign` is that of `format`."""
    numbers = [f"{each:{sign}.{digits}f}" for each in (value, low, high) if each is not None]
    return numbers[0] if low is None else f"{numbers[0]} [{', '.join(numbers[1:])}]"


def _mean(sample: Floats) -> float:
    return float(sample.mean()) if np.isfinite(sample).all() else nan


def _interval(sample: Floats) -> tuple[float, float]:
    """Return the interval of the mean: Student's t for few values, a bootstrap for many."""
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    return _t_interval(sample) if len(sample) < FEWEST_TO_RESAMPLE else _bootstrap_interval(sample)


def _t_interval(sample: Floats) -> tuple[float, float]:
    center, half = float(sample.mean()), _quantile(len(sample)) * float(stats.sem(sample))
    return center - half, center + half


def _bootstrap_interval(sample: Floats) -> tuple[float, float]:
    """Return the expanded percentile interval (Hesterberg, 2015).

    The spread of resamples is too small by the factor sqrt((n - 1) / n), and their tails are normal instead of t. Wider
    percentiles compensate for both.
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
    # Rounding may move means of equal values beyond the sample's range, and one bound beyond the other.
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
    # The test is undefined where all differences are zero.
    return float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
