import pytest

from sparring.cli.tables import show_score_table
from sparring.experiments.analysis.statistics import summarize
from sparring.experiments.report.score_tables import METRICS, ScoreCell, ScoreTable

NAMES = tuple(f"attack-{place}" for place in range(8))


def wide(columns):
    """Return a table of one metric with these columns, all of whose cells are the same but for the first row's."""
    cells = {
        (row, column): ScoreCell(METRICS[0], asked=3, complete=3, summary=summarize([value, value, value]))
        for row, value in (("a rule with quite a long name (option=1.0)", 0.75), ("krum", 0.5))
        for column in columns
    }
    return ScoreTable("Accuracy", "defense", tuple(dict.fromkeys(row for row, _ in cells)), columns, cells)


def test_a_grid_has_the_worst_case_of_each_row_with_its_number_of_runs(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    show_score_table(wide(NAMES), "digits")
    out = capsys.readouterr().out
    assert out.startswith("digits: Accuracy\n")
    assert out.splitlines()[1].endswith("worst case")
    assert [line.split()[-2:] for line in out.splitlines() if "n=3" in line] == [["0.750", "n=3"], ["0.500", "n=3"]]


def test_the_best_of_a_column_has_a_star(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show_score_table(wide(NAMES[:1]), "")
    out = capsys.readouterr().out
    assert "0.750* n=3" in out
    assert "0.500 n=3" in out


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (ScoreCell(METRICS[0], asked=2, failed=1), "failed"),
        (ScoreCell(METRICS[0], asked=2), "not run"),
        (ScoreCell(METRICS[0]), "not planned"),
        (ScoreCell(METRICS[0], asked=2, complete=1, summary=summarize([0.5])), "0.500 n=1/2"),
        (ScoreCell(METRICS[0], asked=1, complete=1, summary=summarize([0.5])), "no interval"),
    ],
)
def test_a_cell_says_what_it_is(cell, words, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show_score_table(ScoreTable("", "defense", ("mean",), ("ipm",), {("mean", "ipm"): cell}), "")
    assert words in capsys.readouterr().out
