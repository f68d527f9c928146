import pytest

from sparring.experiments.analysis.claims import (
    Above,
    AnyOf,
    Claim,
    Least,
    combine_alternatives,
    combine_verdicts,
    judge_claim,
    judge_statement,
)
from tests.experiments.frames import made_frame

GOOD, BAD, CLOSE, SINGLE = ({"attack": "lmp", "defense": name} for name in ("good", "bad", "close", "single"))
ABSENT = {"attack": "ipm", "defense": "good"}

RUNS = made_frame(
    {
        ("lmp", "good"): [0.90, 0.80, 0.85],
        ("lmp", "bad"): [0.50, 0.40, 0.45],
        ("lmp", "close"): [0.89, 0.81, 0.85],
        ("lmp", "single"): [0.95],
        ("lmp", "pair"): [0.1, 0.1],
    }
)


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (Above(GOOD, BAD), "holds"),
        (Above(BAD, GOOD), "does not hold"),
        (Above(GOOD, CLOSE), "undecided"),
        (Above(GOOD, BAD, margin=0.3), "holds"),
        (Above(GOOD, BAD, margin=0.5), "does not hold"),
        (Above(CLOSE, GOOD, margin=-0.03), "holds"),
        (Above(CLOSE, GOOD, margin=-0.02), "undecided"),
        (Above(GOOD, GOOD), "does not hold"),
        (Above(GOOD, 0.72), "holds"),
        (Above(GOOD, 0.79), "undecided"),
        (Above(GOOD, 0.98), "does not hold"),
        (Above(GOOD, 0.86), "undecided"),
        (Above(1, GOOD), "holds"),
        (Above(0.3, GOOD, metric="error"), "holds"),
        (Above(0.3, BAD, metric="error"), "does not hold"),
        (Above(GOOD, Least((CLOSE, BAD))), "holds"),
        (Above(Least((GOOD, BAD)), CLOSE), "does not hold"),
    ],
)
def test_a_statement_is_judged_by_its_paired_interval(statement, verdict):
    assert judge_statement(statement, RUNS).verdict == verdict


def test_three_seeds_that_all_agree_a_little_decide_nothing():
    first, second = {"attack": "a", "defense": "x"}, {"attack": "a", "defense": "y"}
    runs = made_frame({("a", "x"): [0.91, 0.94, 0.97], ("a", "y"): [0.90, 0.90, 0.90]})
    finding = judge_statement(Above(first, second), runs)
    assert finding.comparison.low < 0 < finding.comparison.difference
    assert (finding.verdict, finding.reading) == ("undecided", "undecided")


def test_a_difference_too_small_to_count_is_no_verdict_for_either_side():
    first, second = {"attack": "a", "defense": "x"}, {"attack": "a", "defense": "y"}
    runs = made_frame({("a", "x"): [0.906, 0.9065, 0.9055], ("a", "y"): [0.90, 0.90, 0.90]})
    for statement in (Above(first, second), Above(second, first)):
        finding = judge_statement(statement, runs)
        assert (finding.verdict, finding.reading) == ("does not hold", "no difference that counts")
    assert judge_statement(Above(first, second), runs, gap=0.001).verdict == "holds"
    assert judge_statement(Above(first, second, margin=0.001), runs).verdict == "holds"
    assert judge_statement(Above(first, 0.9), runs).verdict == "holds", "a number is a threshold of its own"
    assert judge_claim(Claim("words", (Above(first, second),)), runs, gap=0.001).verdict == "holds"


def test_the_least_is_taken_seed_by_seed():
    first, second = {"attack": "a", "defense": "x"}, {"attack": "b", "defense": "x"}
    runs = made_frame({("a", "x"): [0.1, 0.9, 0.5], ("b", "x"): [0.8, 0.2, 0.5]})
    assert judge_statement(Above(Least((first, second)), 0.0), runs).comparison.difference == pytest.approx(
        (0.1 + 0.2 + 0.5) / 3
    )


@pytest.mark.parametrize("few", ["single", "pair"])
def test_fewer_than_three_common_seeds_decide_nothing(few):
    finding = judge_statement(Above(GOOD, {"attack": "lmp", "defense": few}), RUNS)
    assert finding.verdict == "undecided"
    assert finding.comparison.n < 3


def test_cells_without_a_common_seed_decide_nothing():
    shifted = RUNS.assign(seed=RUNS["seed"] + 3 * (RUNS["defense"] == "bad"))
    assert judge_statement(Above(GOOD, BAD), shifted)[1:3] == ("undecided", None)


def test_a_loss_that_is_not_finite_decides_nothing():
    runs = RUNS.assign(loss=float("nan"))
    assert judge_statement(Above(GOOD, BAD, metric="loss"), runs).verdict == "undecided"


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "undecided"),
        (["undecided", "not judged"], "not judged"),
        (["not judged", "does not hold", "holds"], "does not hold"),
    ],
)
def test_a_claim_holds_where_all_of_it_does(verdicts, verdict):
    assert combine_verdicts(verdicts) == verdict


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["does not hold", "does not hold"], "does not hold"),
        (["does not hold", "undecided"], "undecided"),
        (["undecided", "not judged"], "not judged"),
        (["not judged", "does not hold", "holds"], "holds"),
    ],
)
def test_of_several_statements_one_that_holds_is_enough(verdicts, verdict):
    assert combine_alternatives(verdicts) == verdict


@pytest.mark.parametrize(
    ("statements", "verdict", "missing"),
    [
        ((Above(BAD, GOOD), Above(GOOD, BAD)), "holds", ()),
        ((Above(BAD, GOOD), Above(GOOD, 0.98)), "does not hold", ()),
        ((Above(BAD, GOOD), Above(GOOD, CLOSE)), "undecided", ()),
        ((Above(BAD, GOOD), Above(GOOD, ABSENT)), "not judged", (ABSENT,)),
        ((Above(GOOD, ABSENT), Above(GOOD, BAD)), "holds", ()),
    ],
)
def test_a_statement_may_be_that_one_of_several_is_true(statements, verdict, missing):
    finding = judge_statement(AnyOf(statements), RUNS)
    assert (finding.verdict, finding.missing, finding.comparison) == (verdict, missing, None)
    assert finding.among == tuple(judge_statement(each, RUNS) for each in statements)


def test_one_of_several_speaks_of_the_cells_of_all():
    assert AnyOf((Above(GOOD, 0.5), Above(BAD, CLOSE))).cells == (GOOD, BAD, CLOSE)


def test_a_claim_needs_one_of_each_several():
    either, neither = AnyOf((Above(BAD, GOOD), Above(GOOD, BAD))), AnyOf((Above(BAD, GOOD), Above(BAD, CLOSE)))
    assert judge_claim(Claim("words", (either, Above(GOOD, BAD))), RUNS).verdict == "holds"
    assert judge_claim(Claim("words", (either, neither)), RUNS).verdict == "does not hold"


def test_a_claim_that_lacks_cells_says_which():
    judgment = judge_claim(Claim("words", (Above(GOOD, BAD), Above(GOOD, ABSENT), Above(ABSENT, 0.5))), RUNS)
    assert judgment.verdict == "not judged"
    assert judgment.reason == "no results for attack=ipm, defense=good and 1 more cells"
    assert [finding.verdict for finding in judgment.findings] == ["holds", "not judged", "not judged"]


def test_what_fails_decides_whatever_is_missing():
    judgment = judge_claim(Claim("words", (Above(BAD, GOOD), Above(GOOD, ABSENT))), RUNS)
    assert (judgment.verdict, judgment.reason) == ("does not hold", "")


def test_the_smoke_scale_is_never_judged():
    claim = Claim("words", (Above(GOOD, BAD),))
    assert judge_claim(claim, RUNS, scale="laptop").verdict == "holds"
    smoke = judge_claim(claim, RUNS, scale="smoke")
    assert (smoke.verdict, smoke.findings) == ("not judged", ())


def test_a_claim_without_statements_says_what_it_needs():
    judgment = judge_claim(Claim("words", needs="the learned attacker"), RUNS)
    assert (judgment.verdict, judgment.reason) == ("not judged", "needs the learned attacker")
