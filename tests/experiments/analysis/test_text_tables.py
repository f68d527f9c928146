import csv
from io import StringIO

import pytest

from sparring.errors import ConfigError
from sparring.experiments.analysis.frames import summarize_cells
from sparring.experiments.analysis.text_tables import Table, as_csv, as_text, make_grids, make_listing
from sparring.experiments.sweeps.axes import METRICS
from tests.experiments.frames import made_frame

RUNS = made_frame(
    {
        ("none", "median"): [0.92, 0.93, 0.94],
        ("none", "krum"): [0.9, 0.9, 0.9],
        ("lmp", "median"): [0.5, 0.6, 0.7],
        ("lmp", "krum"): [0.1],
    }
)


def test_a_list_says_everything_of_each_cell():
    assert make_listing(RUNS, "accuracy", digits=2) == Table(
        "accuracy",
        ("attack", "defense", "accuracy"),
        (
            ("none", "median", "0.93 ± 0.01 [0.91, 0.95], n = 3"),
            ("none", "krum", "0.90 ± 0.00 [0.90, 0.90], n = 3"),
            ("lmp", "median", "0.60 ± 0.10 [0.35, 0.85], n = 3"),
            ("lmp", "krum", "0.10 (n = 1)"),
        ),
    )


def test_a_grid_has_a_row_an_attack_and_a_column_a_defense():
    (grid,) = make_grids(RUNS, "accuracy", digits=2)
    assert grid == Table(
        "accuracy, mean ± standard deviation over seeds, n = 1 to 3",
        ("attack", "median", "krum"),
        (("none", "0.93 ± 0.01", "0.90 ± 0.00"), ("lmp", "0.60 ± 0.10", "0.10 (n = 1)")),
    )


def test_a_cell_without_runs_is_a_dash():
    (grid,) = make_grids(RUNS[RUNS["run"] != "lmp-krum-0"], "accuracy")
    assert grid.rows[1][2] == "-"
    assert grid.title.endswith("n = 3")


def test_there_is_a_grid_for_each_label_on_the_other_axes():
    panels = RUNS.assign(partition=["iid"] * 6 + ["skew"] * 4)
    made = list(make_grids(panels, "average_accuracy"))
    assert [grid.title.split(", ")[:2] for grid in made] == [["average accuracy", "iid"], ["average accuracy", "skew"]]
    assert [[row[0] for row in grid.rows] for grid in made] == [["none"], ["lmp"]]


def test_a_grid_needs_two_axes():
    with pytest.raises(ConfigError, match="'rule' is not an axis; use two of: attack, defense"):
        list(make_grids(RUNS, "accuracy", columns="rule"))


def test_text_has_columns_of_equal_width():
    text = as_text(Table("title", ("a", "longer"), (("long word", "b"), ("c", "d"))))
    assert text == "title\na          longer\n-----------------\nlong word  b\nc          d\n"


def test_a_table_that_does_not_fit_has_its_rows_below_each_other():
    table = Table("a title of a table", ("rule", "measured"), (("krum", "0.93 ± 0.01, n = 3"), ("median", "word " * 9)))
    assert as_text(table, width=80) == as_text(table)
    assert as_text(table, width=32).splitlines() == [
        "a title of a table",
        "",
        "rule      krum",
        "measured  0.93 ± 0.01, n = 3",
        "",
        "rule      median",
        "measured  word word word word",
        "          word word word word",
        "          word",
    ]


def test_csv_holds_the_numbers_as_they_are():
    rows = list(csv.DictReader(StringIO(as_csv(RUNS, METRICS))))
    assert [row["metric"] for row in rows] == [metric for metric in METRICS for _ in range(4)]
    for row in rows[:4]:
        cell = summarize_cells(RUNS, "accuracy")[row["attack"], row["defense"]]
        assert [row[key] for key in cell._fields] == ["" if value is None else str(value) for value in cell]
        assert row["interval"] == ("" if cell.n == 1 else "t")


def test_csv_is_empty_where_there_is_no_number():
    backdoor = list(csv.DictReader(StringIO(as_csv(RUNS, ["backdoor_accuracy"]))))
    assert {(row["n"], row["mean"], row["low"]) for row in backdoor} == {("3", "", ""), ("1", "", "")}
