import pytest

from sparring.experiments.analysis.claims import Above, AnyOf, Least, judge_statement
from sparring.experiments.analysis.evidence import describe_finding
from tests.experiments.report.studies import study

MEAN, KRUM = {"attack": "ipm", "defense": "mean"}, {"attack": "ipm", "defense": "krum"}
AXES = {"attack": ["ipm"], "defense": ["mean", "krum"], "seed": ["0", "1", "2"]}
RUNS = study(
    AXES, {("ipm", rule, str(seed)): base for rule, base in (("mean", 0.1), ("krum", 0.6)) for seed in range(3)}
)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            Above(KRUM, MEAN),
            "accuracy of (ipm, krum) above (ipm, mean) by more than 0.02: difference +0.500, from +0.500 to +0.500 "
            "(95 % t interval, n = 3), holds",
        ),
        (
            Above(MEAN, 0.5),
            "accuracy of (ipm, mean) above 0.5: difference -0.400, from -0.400 to -0.400 "
            "(95 % t interval, n = 3), does not hold",
        ),
        (
            Above(KRUM, Least((MEAN, KRUM)), metric="average_accuracy", margin=0.1),
            "average accuracy of (ipm, krum) above the minimum of (ipm) over (mean; krum) by more than 0.1: "
            "difference +0.250, from +0.250 to +0.250 "
            "(95 % t interval, n = 3), holds",
        ),
        (
            AnyOf((Above(MEAN, KRUM), Above(KRUM, MEAN))),
            "accuracy of (ipm, krum) above (ipm, mean) by more than 0.02: difference +0.500, from +0.500 to +0.500 "
            "(95 % t interval, n = 3), holds",
        ),
        (
            AnyOf((Above(MEAN, 0.5), Above(MEAN, 0.2))),
            "accuracy of (ipm, mean) above 0.5: difference -0.400, from -0.400 to -0.400 "
            "(95 % t interval, n = 3), does not hold; or "
            "accuracy of (ipm, mean) above 0.2: difference -0.100, from -0.100 to -0.100 "
            "(95 % t interval, n = 3), does not hold",
        ),
        (
            Above(KRUM, {**MEAN, "attack": "lmp"}),
            "accuracy of (ipm, krum) above (lmp, mean) by more than 0.02: not judged",
        ),
    ],
)
def test_a_finding_is_put_in_words(statement, words):
    assert describe_finding(judge_statement(statement, RUNS.frame)) == words


def test_one_seed_has_no_interval():
    single = study(AXES, {("ipm", "mean", "0"): 0.1, ("ipm", "krum", "0"): 0.6})
    told = describe_finding(judge_statement(Above(KRUM, MEAN), single.frame))
    assert told.endswith("difference +0.500 (n = 1), undecided")


def test_what_is_no_difference_that_counts_is_called_that():
    alike = study(AXES, {("ipm", rule, str(seed)): 0.5 for rule in ("mean", "krum") for seed in range(3)})
    told = describe_finding(judge_statement(Above(KRUM, MEAN), alike.frame))
    assert told.endswith("(95 % t interval, n = 3), does not hold: no difference that counts")
