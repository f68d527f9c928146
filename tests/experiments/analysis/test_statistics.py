from math import inf, nan, nextafter, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import (
    FEWEST_TO_RESAMPLE,
    RESAMPLES,
    Comparison,
    Summary,
    compare,
    correct_holm,
    format_summary,
    interpret,
    name_interval,
    name_method,
    summarize,
)
from sparring.random import stream

accuracies = st.lists(st.floats(0, 1), min_size=2, max_size=12)
samples = pytest.mark.parametrize("size", [2, 3, 6, 9, 10, 13, 30])


def drawn(size: int, name: str) -> np.ndarray:
    return stream(0, "statistics", name, size).random(size)


def paired(values: np.ndarray) -> dict[int, float]:
    return dict(enumerate(values.tolist()))


def interval(sample: np.ndarray) -> tuple[float, float]:
    """Return scipy's interval: of few values Student's, of more one of resamples with draws of its own."""
    n = len(sample)
    if n < FEWEST_TO_RESAMPLE:
        return tuple(stats.ttest_1samp(sample, 0).confidence_interval(0.95))
    tail = stats.norm.cdf(stats.t.ppf(0.025, n - 1) * sqrt(n / (n - 1)))
    resampled = stats.bootstrap(
        (sample,), np.mean, n_resamples=RESAMPLES, confidence_level=1 - 2 * tail, method="percentile", rng=1
    )
    return tuple(resampled.confidence_interval)


def test_a_summary_is_the_one_computed_by_hand():
    made = summarize([0.90, 0.92, 0.97])
    assert made.n == 3
    assert made.mean == pytest.approx(0.93)
    assert made.std == pytest.approx(sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2))


def test_the_interval_of_three_seeds_is_students():
    # t with 2 degrees of freedom exceeds 4.3027 in 2.5 % of cases.
    half = 4.302653 * 0.01 / sqrt(3)
    assert summarize([0.92, 0.93, 0.94])[3:] == pytest.approx((0.93 - half, 0.93 + half))


def test_the_percentiles_of_ten_seeds_are_moved_apart():
    sample = drawn(10, "ten")
    plain = stats.bootstrap((sample,), np.mean, method="percentile", rng=1).confidence_interval
    made = summarize(sample)
    # The factor of normal resamples is that of t: 2.2622 for 1.96, and sqrt(10 / 9) for their spread.
    assert (made.high - made.low) / (plain.high - plain.low) == pytest.approx(2.2622 / 1.96 * sqrt(10 / 9), rel=0.03)


@pytest.mark.parametrize(("n", "named"), [(1, ""), (2, "t"), (9, "t"), (10, "bootstrap"), (60, "bootstrap")])
def test_the_number_of_values_says_which_method_is_used(n, named):
    assert name_method(n) == named


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([1, 3], "95 % t interval"),
        ([10, 1], "95 % bootstrap interval (expanded percentile)"),
        ([3, 10], "95 % interval (t below 10 seeds, expanded percentile bootstrap otherwise)"),
        ([], "95 % interval (t below 10 seeds, expanded percentile bootstrap otherwise)"),
    ],
)
def test_intervals_are_named_by_their_method(counts, words):
    assert name_interval(counts) == words


@pytest.mark.parametrize("n", [3, 5])
def test_an_interval_holds_the_mean_in_92_to_98_of_100_cases(n):
    rng = stream(0, "coverage", n)
    made = [summarize(rng.normal(size=n)) for _ in range(1000)]
    assert 0.92 <= np.mean([each.low <= 0 <= each.high for each in made]) <= 0.98


def test_no_difference_is_taken_for_one_in_fewer_than_8_of_100_cases():
    rng = stream(0, "alike")
    pairs = (compare(paired(rng.random(3)), paired(rng.random(3))) for _ in range(1000))
    assert np.mean([interpret(each, 0.0) != "undecided" for each in pairs]) < 0.08


def test_an_interval_stays_within_what_is_possible():
    made = summarize([0.99, 0.9, 0.95], least=0.0, most=1.0)
    assert made.high == 1.0
    assert made.low == summarize([0.99, 0.9, 0.95]).low
    assert summarize([0.01, 0.1, 0.05], least=0.0, most=1.0).low == 0.0


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.021, 0.4, "more"),
        (-0.4, -0.021, "less"),
        (-0.02, 0.02, "no difference that counts"),
        (0.004, 0.008, "no difference that counts"),
        (0.0, 0.0, "no difference that counts"),
        (0.01, 0.03, "undecided"),
        (-0.5, 0.5, "undecided"),
        (None, None, "undecided"),
    ],
)
def test_a_difference_is_read_by_its_whole_interval(low, high, says):
    assert interpret(Comparison(5, 0.0, low, high, None, None)) == says


def test_how_much_counts_is_up_to_the_reader():
    small = Comparison(5, 0.006, 0.004, 0.008, 1.0, None)
    assert (interpret(small), interpret(small, 0.0), interpret(small, 0.004)) == (
        "no difference that counts",
        "more",
        "undecided",
    )


def test_two_seeds_say_nothing():
    assert interpret(Comparison(2, 0.5, 0.5, 0.5, None, None)) == "undecided"


@samples
def test_a_summary_agrees_with_scipy(size):
    sample = drawn(size, "one")
    made = summarize(sample)
    assert (made.mean, made.std) == pytest.approx((stats.tmean(sample), stats.tstd(sample)))
    assert (made.low, made.high) == pytest.approx(interval(sample), abs=0.03 * made.std)


@samples
def test_a_comparison_agrees_with_scipy(size):
    first, second = drawn(size, "one"), drawn(size, "other")
    made = compare(paired(first), paired(second))
    differences = first - second
    spread = stats.tstd(differences)
    assert made.difference == pytest.approx(differences.mean())
    assert made.effect == pytest.approx(differences.mean() / spread)
    assert (made.low, made.high) == pytest.approx(interval(differences), abs=0.03 * spread)
    assert made.p == (None if size < 6 else pytest.approx(stats.wilcoxon(first, second).pvalue))


def test_a_comparison_is_the_one_computed_by_hand():
    first = dict.fromkeys(range(6), 0.8)
    second = {seed: 0.8 - 0.01 * (seed + 1) for seed in range(6)}
    made = compare(first, second)
    assert made.difference == pytest.approx(0.035)
    assert made.effect == pytest.approx(0.035 / (0.01 * sqrt(3.5)))
    assert made.p == pytest.approx(2 / 2**6)


def test_only_common_seeds_are_compared():
    made = compare({0: 0.5, 1: 0.6, 2: 0.9}, {1: 0.5, 2: 0.5, 3: 0.0})
    assert made == compare({1: 0.6, 2: 0.9}, {1: 0.5, 2: 0.5})
    assert made.n == 2
    assert made.difference == pytest.approx(0.25)


def test_pairs_are_told_apart_where_seeds_differ_more_than_cells():
    first = {seed: seed / 10 for seed in range(6)}
    second = {seed: value - 0.01 for seed, value in first.items()}
    made = compare(first, second)
    assert made.low > 0
    assert made.p < 0.05


def test_what_differs_by_rounding_alone_is_a_tie():
    first = dict.fromkeys(range(6), 0.1 * 3)
    made = compare(first, dict.fromkeys(first, 0.3))
    assert (made.difference, made.low, made.high, made.effect, made.p) == (0, 0, 0, None, 1.0)


@pytest.mark.parametrize("seeds", [6, 13, 14, 20, 60])
def test_a_single_difference_among_ties_is_no_evidence(seeds):
    first = dict.fromkeys(range(seeds), 0.5)
    assert compare({**first, 0: 0.6}, first).p > 0.3


def test_one_seed_has_a_mean_and_nothing_else():
    assert summarize([0.93]) == Summary(1, 0.93, None, None, None)
    assert compare({4: 0.5}, {4: 0.25}) == (1, 0.25, None, None, None, None)


@pytest.mark.parametrize("value", [0.25, 0.1, 0.6821356011299465])
@pytest.mark.parametrize("n", [2, 3, 10])
def test_equal_values_have_an_interval_without_width(value, n):
    assert summarize([value] * n)[3:] == (value, value)
    assert compare(dict.fromkeys(range(n), value), dict.fromkeys(range(n), 0.0))[2:4] == pytest.approx((value, value))


def test_values_that_are_almost_equal_have_bounds_in_order():
    made = summarize([0.1, nextafter(0.1, 1)] * 5)
    assert 0.1 <= made.low <= made.high <= nextafter(0.1, 1)
    few = summarize([0.1, nextafter(0.1, 1)])
    assert few.low <= few.high == pytest.approx(few.low)


@pytest.mark.parametrize("lost", [nan, inf])
def test_a_value_that_is_not_finite_leaves_no_number(lost):
    made = summarize([0.5, lost, 0.5])
    assert (made.n, made.std, made.low, made.high) == (3, None, None, None)
    assert np.isnan(made.mean)
    compared = compare({0: 0.5, 1: lost}, {0: 0.5, 1: lost})
    assert np.isnan(compared.difference)
    assert compared[2:] == (None,) * 4


def test_a_summary_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="at least one"):
        summarize([])


def test_a_comparison_without_common_seeds_is_refused():
    with pytest.raises(ConfigError, match=r"seeds \[0\] and \[1\]; at least one must be in both"):
        compare({0: 1.0}, {1: 1.0})


@given(accuracies)
def test_an_interval_holds_the_mean_that_was_seen_and_repeats_itself(values):
    made = summarize(values)
    assert made == summarize(values)
    assert made.low <= made.mean + 1e-12
    assert made.high >= made.mean - 1e-12
    if len(values) >= FEWEST_TO_RESAMPLE:
        assert min(values) <= made.low <= made.high <= max(values)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12))
def test_a_comparison_turned_round_is_the_opposite(pairs):
    first, second = (dict(enumerate(side)) for side in zip(*pairs, strict=True))
    one, other = compare(first, second), compare(second, first)
    assert one.difference == pytest.approx(-other.difference, abs=1e-12)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    assert one.p == (None if other.p is None else pytest.approx(other.p))


def test_holms_correction_is_the_one_computed_by_hand():
    assert correct_holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06], nan_ok=True)
    assert correct_holm([0.6, 0.7]) == [1.0, 1.0]
    assert correct_holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holms_correction_lies_between_no_correction_and_bonferronis(ps):
    corrected = correct_holm(ps)
    assert all(p <= each <= min(1.0, len(ps) * p) + 1e-12 for p, each in zip(ps, corrected, strict=True))
    assert [p for p, _ in sorted(zip(ps, corrected, strict=True))] == sorted(ps)
    assert sorted(corrected) == [each for _, each in sorted(zip(ps, corrected, strict=True))]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.92, 0.93, 0.94], "0.93 ± 0.01 [0.91, 0.95], n = 3"),
        ([0.93], "0.93 (n = 1)"),
        ([0.93, nan], "not finite (n = 2)"),
    ],
)
def test_a_summary_is_never_written_as_a_bare_mean(values, text):
    assert format_summary(summarize(values), 2) == text


def test_a_summary_is_written_without_its_interval_where_there_is_no_room():
    assert format_summary(summarize([0.92, 0.93, 0.94]), 2, interval=False) == "0.93 ± 0.01, n = 3"
