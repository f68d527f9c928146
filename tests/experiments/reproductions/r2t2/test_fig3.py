"""Figure 3 of R2T2, calculated: its tables, and what the text says of it."""

import pytest

from sparring.experiments.analysis.text_tables import as_text
from sparring.experiments.reproductions import find_preset
from sparring.experiments.reproductions.computed_claim import compute
from sparring.experiments.reproductions.r2t2 import fig3


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fig3")
    return compute(fig3.R2T2_FIG3, "smoke", folder=folder, tell=lambda done, part: None)


def test_it_is_found_by_its_name():
    assert find_preset("r2t2-fig3") is fig3.R2T2_FIG3


def test_its_tables_show_the_exact_losses_the_steps_and_the_plays(rows):
    exact, under, over, plays = map(as_text, fig3.make_tables(rows))
    assert "6.0507e-03" in exact
    assert "-2.52e+06, -2.026e+06" in under
    assert "-6.84e+06, +3.037e+06" in over
    assert len(plays.splitlines()) == 12


def test_the_verdicts_are_those_of_the_exact_table(rows):
    verdicts = {judgment.claim: judgment.verdict for judgment in fig3.judge("laptop", rows)}
    assert verdicts == {
        fig3.SADDLE: "holds",
        fig3.HIGHER: "holds",
        fig3.LESS: "does not hold",  # the attacker's second gain is ten times its first
        fig3.LESS_FACTOR: "does not hold",  # nor are the defender's factors
        fig3.UNDER: "holds",
        fig3.OVER: "holds",
        fig3.MEANS: "does not hold",
        fig3.LOGS: "holds",
    }


def test_a_wrong_table_fails_the_claims(rows):
    swapped = [{**row, "expected": 1 / row["expected"]} if row["about"] == "table" else row for row in rows]
    verdicts = {judgment.claim: judgment.verdict for judgment in fig3.judge("laptop", swapped)}
    assert verdicts[fig3.SADDLE] == verdicts[fig3.HIGHER] == "does not hold"


def test_the_smoke_scale_is_not_judged(rows):
    assert {judgment.verdict for judgment in fig3.judge("smoke", rows)} == {"not judged"}
