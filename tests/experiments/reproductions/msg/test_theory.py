import pytest

from sparring.experiments.analysis.claims import UNJUDGED_SCALE
from sparring.experiments.reproductions.msg.rates import EXPONENTS
from sparring.experiments.reproductions.msg.theory import (
    BEST,
    CORRECTED,
    COUNTS,
    ENDS,
    EXTENTS,
    PRINTED,
    RATE,
    ROBUST,
    STRENGTHS,
    calculate,
    judge,
    list_parts,
    make_tables,
    measure_growth,
)
from sparring.experiments.reproductions.msg.violations import CASES, DRIFTING, LEARNERS

WORTH = {"meta": -0.3, "first order": -0.4, "Reptile": -0.5, "Bayesian": -0.9, "best": -0.3, "best fixed": -0.8}


def rates(exponent=1.5, seeds=3, most=10**9):
    """Return rows in which iterations grow with a power of 1/ε."""
    return [
        {
            "about": "rate",
            "game": game,
            "seed": seed,
            "accuracy": accuracy,
            "taken": round(100 * (1 + 0.01 * seed) * accuracy**-exponent),
            **dict.fromkeys(COUNTS, 5),
            "N_D": most,
        }
        for game in EXPONENTS
        for seed in range(seeds)
        for accuracy in (0.1, 0.03, 0.01)
    ]


def others(*, end=0.6, printed=0.05, misled=-0.3):
    return [
        {"about": "noise", "noise": 1.0, "counts": "corrected", "N_b": 1e8, "reached": 0.01},
        {"about": "noise", "noise": 1.0, "counts": "printed", "N_b": 4, "reached": printed},
        {"about": "ends", "coupling": 0.0, "solver": "meta", "end": end, "formula": 0.6},
        {"about": "violation", "case": "nothing", **WORTH},
        {"about": "violation", "case": "type misleads", **WORTH, "meta": misled},
        {"about": "coins", "coin": "shows itself", "adapted": 1.4, "fixed": 1.0, "by belief": 1.5},
    ]


def verdicts(rows, scale="laptop"):
    return {judgment.claim: judgment.verdict for judgment in judge(scale, rows)}


def test_where_all_is_well_every_claim_holds():
    assert set(verdicts([*rates(), *others()]).values()) == {"holds"}
    assert set(verdicts([*rates(), *others()], UNJUDGED_SCALE).values()) == {"not judged"}


@pytest.mark.parametrize(
    ("rows", "claim", "verdict"),
    [
        ([*rates(2.2), *others()], RATE, "does not hold"),
        ([*rates(most=200), *others()], RATE, "does not hold"),
        ([*rates(seeds=2), *others()], RATE, "undecided"),
        ([*rates(), *others(end=0.61)], ENDS, "does not hold"),
        ([*rates(), *others(printed=0.2)], PRINTED, "does not hold"),
        ([*rates(), *others(misled=-1.0)], ROBUST, "does not hold"),
    ],
)
def test_one_exception_decides(rows, claim, verdict):
    found = verdicts(rows)
    assert found.pop(claim) == verdict
    assert set(found.values()) == {"holds"}
    assert {BEST, CORRECTED} <= found.keys()


def test_the_exponent_is_fitted_over_seeds():
    growth = measure_growth(rates(1.5), "springs")
    assert growth.slope.mean == pytest.approx(1.5, abs=0.01)
    assert growth.slope.low <= growth.slope.mean <= growth.slope.high
    assert growth.is_in_time


def test_tables_show_all_that_is_measured():
    *rate_tables, growth, noise, ends, cases, coins = make_tables([*rates(), *others()])
    assert [len(table.rows) for table in rate_tables] == [3] * len(EXPONENTS)
    assert growth.rows[0] == ("springs", growth.rows[0][1], "0", "2", "holds")
    assert noise.rows[1] == ("1", "printed", "4", "0.05", "holds")
    assert ends.rows == (("0", "meta", "0.6000", "0.6000"),)
    assert cases.rows[0] == ("nothing", "-0.300", "-0.400", "-0.500", "-0.900", "-0.300", "-0.800")
    assert coins.rows == (("shows itself", "1.400", "1.000", "1.500"),)


@pytest.mark.parametrize("scale", EXTENTS)
def test_every_scale_measures_every_game(scale):
    parts = list_parts(scale)
    assert {part["game"] for part in parts if part["about"] == "rate"} == set(EXPONENTS)
    assert {part["coupling"] for part in parts if part["about"] == "ends"} == set(STRENGTHS)
    assert len({tuple(part.items()) for part in parts}) == len(parts)
    assert len(EXTENTS[scale].accuracies) == 5
    if scale != UNJUDGED_SCALE:
        assert {part["case"] for part in parts if part["about"] == "violation"} == {*CASES, DRIFTING}


def test_a_part_is_calculated_from_its_labels_alone():
    part = next(part for part in list_parts("smoke") if part["about"] == "rate")
    rows = calculate("smoke", part)
    assert calculate("smoke", part) == rows
    assert [row["accuracy"] for row in rows] == list(EXTENTS["smoke"].accuracies)
    assert all(0 <= row["taken"] <= row["N_D"] for row in rows)


def test_every_solver_ends_at_its_formula():
    rows = calculate("laptop", {"about": "ends", "coupling": 1.0})
    assert [row["solver"] for row in rows] == list(LEARNERS)
    assert all(row["end"] == pytest.approx(row["formula"], abs=1e-3) for row in rows)
