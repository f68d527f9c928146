from dataclasses import replace

import pytest

from sparring.experiments.analysis.frames import Contrast
from sparring.experiments.analysis.statistics import compare
from sparring.experiments.report.paired_tables import Difference, make_paired_tables, name_intervals
from sparring.experiments.report.score_tables import METRICS
from tests.experiments.report.studies import study

ACCURACY, _, BACKDOOR = METRICS
SEEDS = [str(seed) for seed in range(6)]
AXES = {"attack": ["none", "ipm"], "defense": ["mean", "krum"], "seed": SEEDS}
BASES = {("none", "mean"): 0.9, ("none", "krum"): 0.8, ("ipm", "mean"): 0.1, ("ipm", "krum"): 0.6}
SPREADS = {"mean": 0.0, "krum": 0.01}


def results(seeds=SEEDS):
    """Return accuracies that rise with the seed, under Krum alone."""
    return {(*cell, seed): base + SPREADS[cell[1]] * int(seed) for cell, base in BASES.items() for seed in seeds}


def difference(first, second, metric=ACCURACY):
    comparison = compare(dict(enumerate(first)), dict(enumerate(second)))
    return Difference(metric, Contrast({}, comparison, comparison.p))


def test_defenses_and_attacks_are_compared_with_the_first_of_them():
    defenses, attacks, *_ = make_paired_tables(study(AXES, results()))
    assert defenses.title == "Accuracy after the last round, defenses compared with mean"
    assert (defenses.rows, defenses.columns) == (("krum",), ("none", "ipm"))
    assert attacks.title == "Accuracy after the last round, attacks compared with none"
    assert (attacks.rows, attacks.columns) == (("mean", "krum"), ("ipm",))
    # Over the seeds Krum's accuracy is 0.025 above its base.
    assert defenses.cells["krum", "none"].contrast.comparison.difference == pytest.approx(-0.075)
    assert defenses.cells["krum", "ipm"].contrast.comparison.difference == pytest.approx(0.525)
    assert attacks.cells["krum", "ipm"].contrast.comparison.difference == pytest.approx(-0.2)


def test_every_metric_that_was_measured_is_compared():
    assert [table.title.split(",")[0] for table in make_paired_tables(study(AXES, results()))] == [
        metric.title for metric in (ACCURACY, ACCURACY, METRICS[1], METRICS[1])
    ]


def test_p_is_corrected_for_the_comparisons_of_a_table():
    defenses, *_ = make_paired_tables(study(AXES, results()))
    assert defenses.cells["krum", "ipm"].contrast.comparison.p == pytest.approx(2 / 2**6)
    assert [each.contrast.p for each in defenses.cells.values()] == pytest.approx([2 * 2 / 2**6] * 2)


def test_one_seed_compares_nothing():
    assert make_paired_tables(study({**AXES, "seed": ["0"]}, results(["0"]))) == ()


def test_what_has_no_common_seed_has_no_difference():
    lacking = {labels: value for labels, value in results().items() if labels[:2] != ("ipm", "mean")}
    defenses, attacks, *_ = make_paired_tables(study(AXES, lacking))
    assert defenses.cells.keys() == {("krum", "none")}
    assert attacks.cells.keys() == {("krum", "ipm")}


def test_where_no_backdoor_was_measured_none_is_compared():
    made = study(AXES, results())
    made.frame.loc[made.frame["attack"] == "ipm", "backdoor_accuracy"] = 0.75
    *_, backdoor = make_paired_tables(made)
    assert backdoor.title.startswith(BACKDOOR.title)
    assert backdoor.cells.keys() == {("krum", "ipm")}


def test_without_attacks_and_defenses_each_axis_is_compared_with_its_first_value():
    axes = {"q": ["0.1", "0.5"], "lr": ["1", "2"], "seed": ["0", "1"]}
    made = study(axes, {(q, lr, seed): float(q) + int(lr) / 10 for q in axes["q"] for lr in "12" for seed in "01"})
    skew, rate = make_paired_tables(made)
    assert (skew.title, skew.rows) == ("Compared with q 0.1", ("q 0.5, lr 1", "q 0.5, lr 2"))
    assert (rate.title, rate.rows) == ("Compared with lr 1", ("q 0.1, lr 2", "q 0.5, lr 2"))
    assert skew.columns == (ACCURACY.title, METRICS[1].title)
    assert rate.cells["q 0.5, lr 2", ACCURACY.title].contrast.comparison.difference == pytest.approx(0.1)


def test_a_study_without_axes_compares_nothing():
    assert make_paired_tables(study({}, {(): 0.3})) == ()


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], "defender"),
        ([0.1, 0.1, 0.1], [0.9, 0.8, 0.7], "attacker"),
        ([0.9, 0.1, 0.9], [0.1, 0.9, 0.1], ""),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], ""),
        ([0.9, 0.8], [0.1, 0.1], ""),
        ([0.9], [0.1], ""),
    ],
)
def test_an_interval_beyond_what_counts_speaks_for_one_side(first, second, winner):
    assert difference(first, second).winner == winner


def test_a_difference_too_small_to_count_speaks_for_nobody():
    small = difference([0.506, 0.5065, 0.5055], [0.5, 0.5, 0.5])
    assert (small.winner, small.lines[-1]) == ("", "no difference")
    assert small._replace(gap=0.001).winner == "defender"


def test_a_study_says_how_much_counts():
    made = replace(study(AXES, results()), gap=0.6)
    defenses, *_ = make_paired_tables(made)
    assert not any(each.winner for each in defenses.cells.values())


def test_intervals_are_named_by_the_seeds_that_are_common():
    assert name_intervals(make_paired_tables(study(AXES, results()))) == "95 % t interval"


def test_more_backdoor_accuracy_speaks_for_the_attacker():
    assert difference([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], BACKDOOR).winner == "attacker"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ([0.5], [0.25], ("+0.250", "no interval", "n = 1")),
        ([0.5, 0.5], [0.25, 0.25], ("+0.250", "+0.250 to +0.250", "n = 2", "undecided")),
        ([0.3, 0.1], [0.5, 0.5], ("-0.300", "-1.571 to +0.971", "d -2.1", "n = 2", "undecided")),
        ([0.5] * 6, [0.5] * 6, ("+0.000", "+0.000 to +0.000", "p 1.000", "n = 6", "no difference")),
    ],
)
def test_a_difference_is_told_with_all_that_is_known_of_it(first, second, told):
    assert difference(first, second).lines == told


def test_a_tiny_p_is_not_written_out():
    made = difference([0.5 + seed / 100 for seed in range(20)], [0.1] * 20)
    assert made.lines[2].endswith(", p < 0.001")
