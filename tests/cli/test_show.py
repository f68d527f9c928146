import json
import shutil

import pytest

from sparring.cli.main import main
from sparring.experiments import run
from sparring.experiments.report.side_by_side import LEVELS, PLAIN_LEVELS, draw_sparkline, read_runs
from tests.cli.test_main import refusal
from tests.experiments.report.studies import played
from tests.experiments.small import small


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, which differ in their rule and their seed."""
    folder = tmp_path_factory.mktemp("Läufe von heute")
    for name, settings in (("first", ()), ("second", ("defense={name: median}", "seed=3"))):
        run(small(*settings), folder / name)
    return folder


def show(*words):
    return main(["show", *map(str, words)])


def printed(capsys):
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("width", [60, 80])
def test_runs_are_shown_beside_each_other_with_what_differs_first(runs, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    assert show(runs / "first", runs / "second") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out
    told = " ".join(out.split())
    assert told.index("settings differ") < told.index("results") < told.index("accuracy over the rounds")
    assert "setting first second" in told
    assert "seed 0 3" in told
    assert "defense.name centered_clipping median" in told
    assert "federation.clients" not in told, "is the same in both"
    assert "state complete complete" in told


def test_the_numbers_are_those_of_the_results(runs, capsys):
    assert show(runs / "first", runs / "second") == 0
    told = printed(capsys)
    first, second = (json.loads((runs / name / "result.json").read_text())["accuracy"] for name in ("first", "second"))
    assert f"accuracy {first:.3f} {second:.3f}" in told
    assert f"first: {read_runs([runs / 'first'])[0].curve[0][1]:.3f} after round 0, {first:.3f} after round 8" in told


def test_one_run_is_shown_with_all_that_it_is(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert show(runs / "first") == 0
    out = capsys.readouterr().out
    told = " ".join(out.split())
    for words in ("clients 8, 4 sampled", "attack ipm", "defense centered_clipping", "seed 0", "torch ", "by class "):
        assert words in told
    assert str(runs / "first") in out, "a path is not broken"


def test_equal_runs_are_said_to_be_equal(runs, capsys, tmp_path):
    shutil.copytree(runs / "first", tmp_path / "copy")
    assert show(runs / "first", tmp_path / "copy") == 0
    assert printed(capsys).startswith("no setting differs: the runs are equal")


def test_runs_of_one_name_are_told_apart_by_their_paths(runs, capsys, tmp_path):
    shutil.copytree(runs / "second", tmp_path / "first")
    names = [each.name for each in read_runs([runs / "first", tmp_path / "first"])]
    assert names == [str(runs / "first"), str(tmp_path / "first")]


def test_a_run_that_is_not_complete_says_how_far_it_is(runs, capsys, tmp_path):
    copy = shutil.copytree(runs / "first", tmp_path / "copy")
    (copy / "result.json").unlink()
    lines = (copy / "rounds.jsonl").read_text().splitlines(keepends=True)
    (copy / "rounds.jsonl").write_text("".join(lines[:5]))
    assert show(copy, runs / "second") == 0
    played_rounds = json.loads(lines[4])["round"]
    assert f"state {played_rounds} of 8 rounds complete" in printed(capsys)
    (copy / "rounds.jsonl").unlink()
    assert show(copy) == 0
    assert "state 0 of 8 rounds" in printed(capsys)


def test_a_run_with_a_plug_in_is_shown_without_it(runs, capsys, tmp_path):
    copy = shutil.copytree(runs / "first", tmp_path / "copy")
    content = json.loads((copy / "manifest.json").read_text()) | {"plugins": {"my_rules": "1.0"}}
    content["config"]["defense"] = {"name": "trusting", "longest": 0.5}
    (copy / "manifest.json").write_text(json.dumps(content))
    assert show(copy, runs / "first") == 0
    assert "defense.longest 0.5 not set" in printed(capsys)


def test_runs_are_shown_as_one_json_object(runs, capsys):
    assert show(runs / "first", runs / "second", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    first, second = told["runs"]
    assert first["complete"]
    assert first["result"] == json.loads((runs / "first" / "result.json").read_text())
    assert second["config"]["seed"] == 3
    assert second["curve"][0][0] == 0
    assert told["differences"]["seed"] == ["0", "3"]


def test_no_name_commands_the_terminal(runs, capsys, tmp_path):
    copy = shutil.copytree(runs / "first", tmp_path / "\x1b[2J")
    assert show(copy, runs / "second") == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(("width", "drawn"), [(60, "▁▃▅█"), (2, "▁█")])
def test_a_small_curve_goes_from_the_lowest_to_the_highest_mark(width, drawn):
    curve = [(0, 0.0), (1, 0.3), (2, 0.5), (3, 1.0)]
    assert draw_sparkline(curve, width) == drawn
    assert draw_sparkline([], width) == ""


def test_a_terminal_without_such_marks_has_others(runs, capsys, monkeypatch):
    assert PLAIN_LEVELS.isascii()
    assert len(PLAIN_LEVELS) == len(LEVELS)
    monkeypatch.setattr("sparring.cli.show._can_print", lambda text: False)
    assert show(runs / "first") == 0
    out = capsys.readouterr().out
    assert not set(LEVELS) & set(out)


def test_a_folder_of_something_else_is_one_line_with_what_shows_it(runs, capsys, tmp_path):
    sweep = played(tmp_path / "my sweep")
    assert show(runs / "first", sweep) == 2
    assert refusal(capsys) == f"{sweep} holds a sweep; show it with `sparring report '{sweep}'`"
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "audit.json").write_text("{}")
    assert show(tmp_path / "audit") == 2
    assert "holds an audit; show it with `sparring report " in refusal(capsys)
    assert show(tmp_path) == 2
    assert refusal(capsys).endswith("is not a run folder; give one that `sparring run` created")


def test_a_run_that_is_given_twice_is_refused(runs, capsys):
    assert show(runs / "first", runs / "second", runs / "first") == 2
    assert refusal(capsys) == f"{runs / 'first'} is given twice; give each run once"


def test_damaged_records_are_one_line(runs, capsys, tmp_path):
    copy = shutil.copytree(runs / "first", tmp_path / "copy")
    (copy / "rounds.jsonl").write_bytes(b"{}}\n")
    assert show(copy) == 1
    assert refusal(capsys).endswith("rounds.jsonl is damaged; run it again with --overwrite")
