import io

import pytest
from rich.console import Console

from sparring.cli import progress as module
from sparring.cli.progress import Lines, show_progress


def test_news_are_told_line_by_line_where_there_is_no_terminal(capsys):
    with show_progress("round", 3) as shown:
        for done, news in ((0, "begun"), (1, None), (2, "half"), (3, "over")):
            shown.show(done, news)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "round 0/3: begun\nround 2/3: half\nround 3/3: over\n"


def test_a_long_run_gives_few_lines_and_always_the_last(capsys):
    lines = Lines("round", 10**4 + 1)
    for done in range(10**4 + 2):
        lines.show(done, "news")
    told = capsys.readouterr().err.splitlines()
    assert module.LINES <= len(told) <= module.LINES + 2
    assert told[-1] == "round 10001/10001: news"


def test_what_is_expected_may_change(capsys):
    with show_progress("run", 0) as shown:
        for total in (1, 2):
            shown.expect(total)
            shown.show(1, "one of them")
    assert capsys.readouterr().err == "run 1/1: one of them\nrun 1/2: one of them\n"


@pytest.fixture
def terminal(monkeypatch):
    """Return what a terminal would show."""
    screen = io.StringIO()
    monkeypatch.setattr(
        module, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=80, color_system=None)
    )
    return screen


def test_a_terminal_shows_a_bar_and_the_latest_news(terminal, capsys):
    with show_progress("round", 200) as shown:
        shown.show(50, "accuracy 0.5, [loss]")
        shown.show(51, None)
    drawn = terminal.getvalue()
    assert "51/200" in drawn
    assert "accuracy 0.5, [loss]" in drawn
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_what_is_expected_may_change_too(terminal):
    with show_progress("run", 0) as shown:
        shown.expect(7)
        shown.show(3, "going on")
    assert "3/7" in terminal.getvalue()


def test_news_that_are_too_long_go_on_below_themselves_and_nothing_is_cut_off(terminal):
    with show_progress("run", 9) as shown:
        shown.show(4, "news " * 12)
    drawn = terminal.getvalue()
    assert "4/9" in drawn
    assert drawn.count("news") >= 12
    assert "…" not in drawn
