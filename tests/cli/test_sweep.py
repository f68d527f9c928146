import json
import os
import signal
import subprocess
import sys
import time

import pytest

from sparring.cli.main import main
from sparring.cli.progress import Lines
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.runs.run_folder import lock_folder
from sparring.experiments.sweeps import plan_sweep, sweep
from tests.cli.test_main import SCRIPT, refusal
from tests.experiments.jobs.test_atomic_files import small_files
from tests.experiments.plugging import MODULE, SOURCE, write_plugin
from tests.experiments.sweeps.grids import IPM, LMP, NO_ATTACK, complete, grid, left, selecting, written

THREE = grid(attack=[NO_ATTACK, IPM, LMP])


@pytest.fixture
def here(monkeypatch):
    """Let this process play, which is quick."""
    monkeypatch.setattr("sparring.cli.options.LocalWorkers", lambda count: InlineWorkers())


@pytest.fixture
def grid_file(folder):
    return written(folder, THREE)


def test_a_sweep_tells_people_what_it_came_to(here, folder, grid_file, capsys):
    assert main(["sweep", grid_file, "--out", "grid"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:3] == ["runs   3 of 3 complete", "sweep  grid", ""]
    assert "n=1" in out
    assert "cells: mean, n runs" in out
    assert out.splitlines()[-1] == "next  sparring report grid --html grid.html"
    lines = err.splitlines()
    assert lines[0] == "run 0/3: 1 running, 0 failed; starting"
    assert lines[1].startswith("run 1/3: 1 running, 0 failed; none: accuracy 0.")
    assert [line.split(":")[0] for line in lines[2:]] == ["run 2/3", "run 3/3"]
    assert lines[3].startswith("run 3/3: 0 running, 0 failed; lmp (malicious=2): accuracy 0.")


def test_a_sweep_can_be_one_json_object(here, folder, grid_file, capsys):
    assert main(["sweep", grid_file, "--out", "grid", "--json"]) == 0
    counts = {"runs": 3, "complete": 3, "failed": 0, "failures": [], "choices": []}
    printed = json.loads(capsys.readouterr().out)
    cells = printed.pop("cells")
    assert printed == {**counts, "sweep": "grid"}
    assert [cell["accuracy"]["n"] for cell in cells] == [1, 1, 1]
    assert all(cell["labels"].keys() == {"attack"} for cell in cells)


def test_a_dry_run_tells_what_would_be_played_and_writes_nothing(here, folder, grid_file, capsys):
    sweep(plan_sweep(grid(attack=[IPM])), folder / "grid")
    before = left(folder)
    assert main(["sweep", grid_file, "--out", "grid", "--dry-run"]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts["axes"] == "3 attack"
    assert facts["runs"] == "3: 1 complete, 2 due"
    assert facts["time"].startswith("about ")
    assert left(folder) == before
    assert main(["sweep", grid_file, "--out", "grid", "--dry-run", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("seconds") > 0
    assert printed == {"runs": 3, "complete": 1, "failed": 0, "due": 2, "open": 0, "sweep": "grid"}


def test_a_failure_is_told_and_the_exit_code_is_1(here, folder, capsys, monkeypatch):
    file = written(folder, grid(defense=[{"name": "median"}, {"name": "mean"}]))
    with monkeypatch.context() as patch:
        patch.setattr("sparring.defenses.aggregation.median.Median.aggregate", lambda self, view, memory: 1 // 0)
        assert main(["sweep", file, "--out", "grid"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:4] == [
        "runs    1 of 2 complete",
        "sweep   grid",
        "failed  1; --retry-failed runs them again",
        "errors  grid/failures, with tracebacks",
    ]
    assert "ZeroDivisionError" in json.loads(next((folder / "grid/failures").iterdir()).read_text())["traceback"]
    assert "  median: defense Median raised ZeroDivisionError: " in out
    assert "sparring: median failed: defense Median raised ZeroDivisionError: " in err
    assert main(["sweep", file, "--out", "grid", "--json"]) == 1
    (failure,) = json.loads(capsys.readouterr().out)["failures"]
    assert failure["labels"] == {"defense": "median"}
    assert (folder / failure["run"] / "manifest.json").exists()
    assert main(["sweep", file, "--out", "grid", "--retry-failed"]) == 0


def test_settings_go_before_those_of_the_file(here, folder, grid_file, capsys):
    assert main(["sweep", grid_file, "federation.rounds=3", "axes.seed=[0, 1]", "--out", "grid", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 6
    results = [json.loads(path.read_text()) for path in (folder / "grid/runs").glob("*/result.json")]
    assert {result["rounds"] for result in results} == {3}
    assert json.loads((folder / "grid/sweep.json").read_text())["document"]["base"]["federation"]["rounds"] == 3


@pytest.mark.parametrize("setting", ["attack.scale=2", "attack=ipm", "attack.malicious=3"])
def test_a_setting_that_an_axis_replaces_is_refused(here, folder, grid_file, capsys, setting):
    assert main(["sweep", grid_file, setting, "--out", "grid"]) == 2
    line = f"{setting} has no effect, the axis 'attack' sets it in every run; use axes.attack=[...]"
    assert refusal(capsys) == line


def test_what_was_chosen_is_told(here, folder, capsys):
    file = written(folder, selecting(seeds=[0]))
    assert main(["sweep", file, "--out", "grid", "--dry-run"]) == 0
    assert "runs   10: 10 due, 6 open\n" in capsys.readouterr().out
    assert main(["sweep", file, "--out", "grid"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[2] == "chosen by the worst accuracy on validation examples:"
    assert out[3].startswith("  clipped: defense.max_norm=")
    assert out[3].endswith(", n = 1)")
    assert main(["sweep", file, "--out", "grid", "--json"]) == 0
    (choice,) = json.loads(capsys.readouterr().out)["choices"]
    assert main(["sweep", file, "--out", "grid", "--dry-run"]) == 0
    assert "runs   16: 16 complete\n" in capsys.readouterr().out
    assert (choice["labels"], choice["n"]) == ({"defense": "clipped"}, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_sweep_and_the_same_command_goes_on(here, folder, grid_file, capsys, monkeypatch, number):
    with monkeypatch.context() as patch:
        patch.setattr(Lines, "show", lambda self, done, news: done == 1 and signal.raise_signal(number))
        assert main(["sweep", grid_file, "--out", "grid"]) == 130
    assert refusal(capsys) == "stopped with 2 runs left; the same command resumes the sweep"
    assert main(["sweep", grid_file, "--out", "grid"]) == 0
    sweep(plan_sweep(THREE), folder / "straight")
    assert left(folder / "grid") == left(folder / "straight")


def test_a_second_signal_ends_the_sweep_at_once(here, folder, grid_file, capsys, monkeypatch):
    def insist(self, done, news):
        for _ in range(2 * done):
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "show", insist)
        assert main(["sweep", grid_file, "--out", "grid"]) == 130
    assert refusal(capsys) == "interrupted"
    assert main(["sweep", grid_file, "--out", "grid"]) == 0


def test_what_is_interrupted_in_the_terminal_is_played_on_to_the_same_bytes(folder):
    document = grid("federation.rounds=300", "evaluation.every=100", attack=[IPM, LMP])
    command = [sys.executable, "-c", SCRIPT, "sweep", written(folder, document), "--out", "grid", "--jobs", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and not list((folder / "grid").glob("runs/*/rounds.jsonl")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "sparring: stopped with 2 runs left; the same command resumes the sweep"
    assert complete(folder / "grid") == 0
    sweep(plan_sweep(document), folder / "grid")
    sweep(plan_sweep(document), folder / "straight")
    assert left(folder / "grid") == left(folder / "straight")


def test_a_worker_that_the_kernel_kills_is_a_failure_and_the_others_go_on(tmp_path, capsys, monkeypatch):
    deadly = SOURCE.replace("rows = view", "__import__('os').kill(__import__('os').getpid(), 9)\n        rows = view")
    write_plugin(tmp_path, monkeypatch, deadly)
    file = written(tmp_path, grid("threat.assumed_malicious=0", defense=[{"name": "midrange"}, {"name": "mean"}]))
    options = ["--out", "grid", "--jobs", "1", "--plugin", MODULE, "--json"]
    assert main(["sweep", file, *options]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["complete"] == 1
    (failure,) = printed["failures"]
    assert failure["labels"] == {"defense": "midrange"}
    assert failure["error"].startswith("the process was killed by SIGKILL; if memory ran out, use fewer workers")
    assert json.loads((tmp_path / "grid/sweep.json").read_text())["plugins"] == {MODULE: "1.2"}


def test_two_sweeps_do_not_share_a_folder(here, folder, grid_file, capsys):
    with lock_folder(folder / "grid"):
        assert main(["sweep", grid_file, "--out", "grid"]) == 1
    assert refusal(capsys) == "grid is in use by another process; wait for it, or choose another folder"


def test_a_folder_of_something_else_is_refused(here, folder, grid_file, capsys):
    assert main(["sweep", grid_file, "--out", "."]) == 2
    assert refusal(capsys) == ". exists and is not a sweep folder; choose another one"
    assert os.listdir(folder) == [grid_file.rpartition("/")[2]]


def test_a_folder_that_cannot_be_written_is_one_line(here, folder, grid_file, capsys):
    assert main(["sweep", grid_file, "--out", "grid.yaml/grid"]) == 1
    assert refusal(capsys).startswith("grid.yaml/grid: not a directory; make room or choose another folder")


def test_a_full_disk_is_one_line(here, folder, grid_file, capsys):
    with small_files(10):
        assert main(["sweep", grid_file, "--out", "grid"]) == 1
    line = refusal(capsys)
    assert line == "grid/sweep.json: file too large; make room or choose another folder, saved files are intact"
    assert main(["sweep", grid_file, "--out", "grid", "--json"]) == 0


def test_a_typo_in_one_axis_is_one_line_and_nothing_is_played(here, folder, capsys):
    file = written(folder, grid(defense=[{"name": "mean"}, {"name": "krumm"}]))
    assert main(["sweep", file, "--out", "grid"]) == 2
    assert refusal(capsys) == "defense 'krumm': unknown defense 'krumm'; did you mean 'krum'?"
    assert not (folder / "grid").exists()
