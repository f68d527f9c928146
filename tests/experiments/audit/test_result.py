import pytest

from sparring.errors import RunError
from sparring.experiments.audit.result import Breaking, find_worst, rank_attacks, remaining_accuracy, verdict_to_json
from tests.experiments.audit.verdicts import CLEAN, LEARNED, STRONG, WEAK, runs, verdict


def test_the_worst_attack_leaves_least_in_the_mean():
    frame = runs(a=(0.1, 0.9), b=(0.4, 0.4), c=(0.0, 0.9))
    assert find_worst(frame, "ab").attack == "b"
    assert find_worst(frame, "abc").summary.mean == 0.4


def test_an_attack_that_was_not_played_is_not_the_worst():
    assert find_worst(runs(a=(0.5, 0.5)), ("a", "missing")).attack == "a"


def test_where_nothing_was_played_there_is_no_worst():
    with pytest.raises(RunError, match="no hand-crafted attack is complete"):
        find_worst(runs(a=(0.5,)), ("b",))


def test_what_is_left_is_summed_up_over_seeds():
    assert remaining_accuracy(runs(a=(0.2, 0.4)), "a").summary.mean == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("learned", "answer"),
    [
        ((0.1, 0.2, 0.15), "holds"),
        ((0.8, 0.9, 0.7), "does not hold"),
        ((0.1, 0.9, 0.5), "undecided"),
    ],
)
def test_the_interval_of_the_paired_gap_decides(learned, answer):
    assert verdict(learned).gap.verdict == answer


def test_the_learned_attack_is_confirmed_where_the_other_breaks_the_rule_or_with_the_most_that_were_tried():
    assert Breaking({4: 0.9, 2: 0.1, 1: 0.8}, 2, 0.0).confirmed_at == 2
    assert Breaking({4: 0.9}, None, 0.0).confirmed_at == 4


def test_a_verdict_is_plain_data():
    told = verdict_to_json(verdict())
    assert told["crafted"]["attack"] == told["halved_by"]["attack"] == STRONG
    assert told["learned"]["attack"] == LEARNED
    assert told["gap"]["difference"] == pytest.approx(0.45)
    assert told["gap"]["verdict"] == "holds"
    assert {"interval": "t", "smallest": 0.02, "reading": "more"}.items() <= told["gap"].items()
    assert list(told["halved_by"]["tried"]) == ["6", "9", "12", "25"]
    assert told["halved_by"]["learned"] == {"clients": 12, "accuracy": 0.2}


def test_attacks_are_ranked_with_the_worst_first():
    frame = runs(a=(0.1, 0.9), b=(0.4, 0.4), c=(0.0, 0.9))
    assert [cell.attack for cell in rank_attacks(frame, "abcd")] == ["b", "c", "a"]
    assert [cell.attack for cell in verdict().ranking] == [LEARNED, STRONG, WEAK, CLEAN]
    told = verdict_to_json(verdict())["attacks"]
    assert told[0] == {"attack": LEARNED, **verdict().learned.summary._asdict()}


def test_rules_are_compared_on_the_seeds_of_the_reference_runs():
    own, mean, median = verdict().references
    assert (own.rule, own.clean.n, own.crafted.mean) == ("krum", 2, pytest.approx(0.65))
    assert (mean.rule, mean.crafted.mean, mean.learned.mean) == ("mean", pytest.approx(0.2), pytest.approx(0.2))
    assert (median.rule, median.learned) == ("median", None)
    told = verdict_to_json(verdict())["references"]
    assert [(row["rule"], row["audited"]) for row in told] == [("krum", True), ("mean", False), ("median", False)]
    assert told[1]["crafted"] == {"attack": STRONG, **mean.crafted._asdict()}
    assert told[2]["learned"] is None
