import pytest

from sparring.experiments.analysis.statistics import summarize
from sparring.experiments.report.score_tables import (
    FURTHER,
    METRICS,
    ScoreCell,
    ScoreTable,
    compute_regrets,
    find_worst_case,
    make_further_tables,
    make_score_tables,
)
from tests.experiments.report.studies import study

ACCURACY, _, BACKDOOR = METRICS
AXES = {"attack": ["none", "ipm"], "defense": ["mean", "krum"], "seed": ["0", "1"]}
FULL = {
    ("none", "mean", "0"): 0.9,
    ("none", "mean", "1"): 0.7,
    ("none", "krum", "0"): 0.6,
    ("none", "krum", "1"): 0.6,
    ("ipm", "mean", "0"): 0.1,
    ("ipm", "mean", "1"): 0.1,
    ("ipm", "krum", "0"): 0.5,
    ("ipm", "krum", "1"): 0.4,
}


def table(values, *, metric=ACCURACY, asked=1):
    """Return a grid of means; None is a cell without a complete run."""
    cells = {
        place: ScoreCell(metric, asked, value is not None, summary=None if value is None else summarize([value]))
        for place, value in values.items()
    }
    rows, columns = (tuple(dict.fromkeys(each)) for each in zip(*values, strict=True))
    return ScoreTable("", "defense", rows, columns, cells)


def test_a_cell_is_the_summary_of_its_seeds():
    accuracy, average = make_score_tables(study(AXES, FULL))
    assert (accuracy.rows, accuracy.columns) == (("mean", "krum"), ("none", "ipm"))
    assert accuracy.cells["mean", "none"] == ScoreCell(ACCURACY, 2, 2, 0, summarize([0.9, 0.7], least=0, most=1))
    assert average.cells["krum", "ipm"].summary == summarize([0.25, 0.2], least=0, most=1)


def test_a_cell_knows_how_many_of_its_runs_failed_or_were_not_played():
    results = FULL | {("ipm", "mean", "0"): None, ("ipm", "mean", "1"): None}
    del results["none", "krum", "0"]
    accuracy, _ = make_score_tables(study(AXES, results))
    assert accuracy.cells["mean", "ipm"] == ScoreCell(ACCURACY, asked=2, failed=2)
    assert accuracy.cells["krum", "none"] == ScoreCell(ACCURACY, 2, 1, 0, summarize([0.6]))


def test_without_attacks_and_defenses_there_is_one_plain_table():
    (plain,) = make_score_tables(
        study({"data": ["digits"], "q": ["0.1", "0.5"], "seed": ["0"]}, {("digits", "0.5", "0"): 0.3})
    )
    assert plain.rows == ("digits, q 0.1", "digits, q 0.5")
    assert plain.corner == "data × q"
    assert plain.cells["digits, q 0.5", ACCURACY.title].summary == summarize([0.3])
    assert plain.cells["digits, q 0.1", ACCURACY.title].summary is None


def test_a_study_without_axes_is_a_table_of_one_cell():
    (plain,) = make_score_tables(study({}, {(): 0.3}))
    assert plain.rows == ("my sweep",)
    assert plain.cells["my sweep", ACCURACY.title].summary == summarize([0.3])


def test_a_study_of_which_nothing_is_complete_has_an_empty_table():
    (accuracy,) = make_score_tables(study(AXES, {}))
    assert all(cell == ScoreCell(ACCURACY, asked=2) for cell in accuracy.cells.values())


def test_the_worst_accuracy_of_a_row_is_its_least():
    found = find_worst_case(table({("krum", "none"): 0.6, ("krum", "ipm"): 0.2, ("krum", "lmp"): 0.4}), "krum")
    assert (found.column, found.cell.summary.mean, found.bound) == ("ipm", 0.2, "")


def test_the_worst_backdoor_accuracy_of_a_row_is_its_largest():
    found = find_worst_case(table({("krum", "none"): 0.0, ("krum", "dba"): 0.9}, metric=BACKDOOR), "krum")
    assert found.column == "dba"


@pytest.mark.parametrize(("metric", "bound"), [(ACCURACY, "≤ "), (BACKDOOR, "≥ ")])
def test_the_worst_of_a_row_with_gaps_is_a_bound(metric, bound):
    found = find_worst_case(table({("krum", "none"): 0.6, ("krum", "ipm"): None}, metric=metric), "krum")
    assert (found.column, found.missing, found.bound) == ("none", 1, bound)


def test_an_empty_row_has_no_worst_case():
    assert find_worst_case(table({("krum", "none"): None}), "krum") is None


def test_regret_is_what_the_best_of_the_column_has_more():
    values = {("mean", "none"): 0.9, ("krum", "none"): 0.6, ("mean", "ipm"): 0.1, ("krum", "ipm"): 0.5}
    found = compute_regrets(table(values))
    assert found == pytest.approx(
        {("mean", "none"): 0, ("krum", "none"): 0.3, ("mean", "ipm"): 0.4, ("krum", "ipm"): 0}
    )


def test_regret_of_backdoor_accuracy_is_what_the_best_has_less():
    found = compute_regrets(table({("mean", "dba"): 0.9, ("krum", "dba"): 0.2}, metric=BACKDOOR))
    assert found == pytest.approx({("mean", "dba"): 0.7, ("krum", "dba"): 0})


def test_a_cell_that_is_not_there_has_no_regret_and_the_others_have():
    assert compute_regrets(table({("mean", "none"): None, ("krum", "none"): 0.6})) == {
        ("mean", "none"): None,
        ("krum", "none"): 0,
    }


def test_a_column_in_which_a_cell_lacks_seeds_has_no_regrets():
    assert set(compute_regrets(table({("mean", "none"): 0.9, ("krum", "none"): 0.6}, asked=2)).values()) == {None}


@pytest.mark.parametrize(
    ("cell", "absence"),
    [
        (ScoreCell(ACCURACY), "not planned"),
        (ScoreCell(ACCURACY, asked=2), "not run"),
        (ScoreCell(ACCURACY, asked=2, failed=1), "failed"),
        (ScoreCell(BACKDOOR, asked=2, complete=1, failed=1), "not measured"),
    ],
)
def test_an_empty_cell_says_why(cell, absence):
    assert cell.absence == absence


def test_where_there_is_no_trigger_no_backdoor_is_measured():
    made = study(AXES, FULL)
    made.frame.loc[made.frame["attack"] == "ipm", "backdoor_accuracy"] = 0.75
    *_, backdoor = make_score_tables(made)
    assert backdoor.cells["krum", "none"].absence == "not measured"
    assert find_worst_case(backdoor, "krum") == ("ipm", backdoor.cells["krum", "ipm"], 0)


def test_what_else_was_measured_of_a_backdoor_has_tables_apart():
    made = study(AXES, FULL)
    assert make_further_tables(made) == ()
    made.frame["average_backdoor_accuracy"] = 0.25
    assert len(make_score_tables(made)) == 2
    (average,) = make_further_tables(made)
    assert average.title == FURTHER[0].title
    assert average.cells["krum", "ipm"].summary == summarize([0.25, 0.25])
