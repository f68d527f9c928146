import pytest
from rich.text import Text

from sparring.cli.tables import show_wide_table

COLUMNS = [f"attack-{place}" for place in range(8)]
CELLS = {(row, column): Text("0.750") for row in ("a rule with quite a long name", "krum") for column in COLUMNS}


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_table_is_as_wide_as_the_terminal_allows(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    show_wide_table("digits: accuracy", CELLS, corner="defense", width=12)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert [out.count(column) for column in COLUMNS] == [1] * len(COLUMNS)
    assert out.count("0.750") == len(CELLS)
    assert out.count("krum") == out.count("defense")


def test_the_parts_of_a_table_are_about_as_large_as_each_other(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show_wide_table("", dict(list(CELLS.items())[:5]), corner="defense", width=12)
    heads = [line for line in capsys.readouterr().out.splitlines() if "attack" in line]
    assert [head.count("attack") for head in heads] == [3, 2]


def test_no_name_commands_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    show_wide_table("\x1b[2J", {("\x1b[3J", "\x1b[4J"): Text("")}, corner="\x1b[5J", width=12)
    assert "\x1b" not in capsys.readouterr().out
