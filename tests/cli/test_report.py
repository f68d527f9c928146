import json
import shutil

import pytest

from sparring.cli.main import main
from sparring.experiments.sweeps.sweep_folder import read_sweep, run_folder
from tests.cli.test_main import refusal
from tests.experiments.report.studies import EVIL, played

WIDTH = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return played(tmp_path_factory.mktemp("report") / "sweep")


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def report(*words):
    return main(["report", *map(str, words)])


def test_the_tables_are_printed(folder, capsys):
    assert report(folder) == 0
    out = capsys.readouterr().out
    assert "Accuracy after the last round" in out
    assert "Average accuracy over the rounds" in out
    assert all(word in out for word in ("none", "mean", "median", "worst case", "n=2"))
    assert max(map(len, out.splitlines())) <= WIDTH


def test_cells_are_compared_seed_by_seed(folder, capsys):
    assert report(folder) == 0
    out = capsys.readouterr().out
    assert "Accuracy after the last round, defenses compared with mean" in out
    assert "Accuracy after the last round, attacks compared with none" in out
    assert "n = 2" in out
    assert "paired differences: mean over common seeds" in out


def test_what_cannot_be_compared_is_not_spoken_of(folder, capsys):
    assert report(run_folder(folder, read_sweep(folder).cells[0].digest)) == 0
    assert "compared" not in capsys.readouterr().out


def test_how_much_counts_is_said_and_can_be_changed(folder, capsys):
    for gap in ("0.02", "0.3"):
        assert report(folder, "--gap", gap) == 0
        assert f"the whole interval lies beyond {gap}" in " ".join(capsys.readouterr().out.split())
    assert report(folder, "--gap", "-1") == 2


def test_a_name_cannot_command_the_terminal(folder, capsys, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / "sweep.json"
    path.write_text(path.read_text().replace(json.dumps(EVIL), json.dumps("\x1b[2J[red]")))
    assert report(copy) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"\x1b[2J[red" in out


def test_what_is_missing_is_said(folder, capsys, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    first, second, *_ = read_sweep(copy).cells
    for cell in (first, second):
        (run_folder(copy, cell.digest) / "result.json").unlink()
    assert report(copy) == 0
    out = capsys.readouterr().out
    assert "not complete: 2 of 8 runs; repeat the sweep command with the same folder to resume it" in " ".join(
        out.split()
    )
    assert "not run" in out
    assert "≤ " in out


def test_files_are_written_where_they_are_wanted(folder, capsys, tmp_path):
    html, csv, latex, figures = (tmp_path / name for name in ("größer 1.html", "t.csv", "t.tex", "figures"))
    assert report(folder, "--html", html, "--csv", csv, "--latex", latex, "--figures", figures) == 0
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert csv.read_text(encoding="utf-8").startswith("attack,defense,metric,n,")
    assert r"\begin{tabular}" in latex.read_text(encoding="utf-8")
    out = capsys.readouterr().out
    assert f"written: {html}" in out
    assert f"written: {figures}, {len(list(figures.iterdir()))} files" in out


def test_a_single_run_has_a_report(folder, capsys, tmp_path):
    run = run_folder(folder, read_sweep(folder).cells[0].digest)
    assert report(run, "--latex", tmp_path / "t.tex", "--html", tmp_path / "t.html") == 0
    assert "n=1" in capsys.readouterr().out


def test_a_folder_of_something_else_is_refused(capsys, tmp_path):
    assert report(tmp_path) == 2
    assert "holds neither a sweep nor a run" in refusal(capsys)


def test_a_file_that_cannot_be_written_is_told_of(folder, capsys, tmp_path):
    assert report(folder, "--html", tmp_path / "nowhere" / "page.html") == 1
    assert "no such file or directory" in capsys.readouterr().err
