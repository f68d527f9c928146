import numpy as np
import pytest

from sparring.experiments.analysis.statistics import summarize
from sparring.random import stream
from studies.interval_coverage import DRAWN, METHODS, chosen, covered, drawn, tables

DEPENDABLE = (
    "normal",
    "accuracy near 0.9, beta(90, 10)",
    "accuracy near 0.9 of 500 examples, binomial",
    "pairs: beta(19, 1) minus beta(8, 2)",
    "pairs: both beta(19, 1)",
    "pairs: both of 100 examples",
)
TRIALS = 3000


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("name", DEPENDABLE)
def test_intervals_of_pairs_and_of_accuracies_hold_the_mean_in_92_to_98_of_100_cases(name, n):
    draw, mean = DRAWN[name]
    share, _ = covered(draw, mean, n=n, trials=TRIALS)[chosen(n)]
    assert 0.92 <= share <= 0.98


@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_the_intervals_that_are_measured_are_those_of_sparring(n):
    (trials,) = drawn(DRAWN["skewed, exponential"][0], n, trials=500, rng=stream(0, "same"))
    low, high = METHODS[chosen(n)](trials)
    for place in range(20):
        made = summarize(trials.samples[place])
        assert (low[place], high[place]) == pytest.approx((made.low, made.high), abs=0.1 * made.std)


def test_the_tables_have_a_row_for_all_that_is_drawn():
    lines = list(tables(500))
    assert (
        lines[0]
        == "| values | 3 seeds, t | 5 seeds, t | 10 seeds, expanded percentile | 20 seeds, expanded percentile |"
    )
    assert lines[len(DRAWN) + 2] == ""
    assert len(lines) == 2 * (len(DRAWN) + 2) + 2
    assert np.ptp([line.count("|") for line in lines[: len(DRAWN) + 2]]) == 0
