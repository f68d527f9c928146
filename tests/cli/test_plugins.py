"""`--plugin`, on every command that looks something up."""

import json
import signal

import pytest

from sparring.cli.main import main
from tests.cli.test_main import refusal
from tests.experiments.plugging import EVERYTHING, MODULE, SOURCE, forget, write_plugin
from tests.experiments.small import SETTINGS, lasting

WORDS = [*SETTINGS, *EVERYTHING]
PLUGIN = ["--plugin", MODULE]
UNSTATED = {"paper": "", "cost": "", "assumption": ""}
"""What a plug-in need not state."""


@pytest.fixture(autouse=True)
def plugin(tmp_path, monkeypatch):
    write_plugin(tmp_path, monkeypatch)


def test_the_players_of_a_plug_in_are_listed(capsys):
    assert main(["list", "defenses", "--json", *PLUGIN]) == 0
    (midrange,) = [each for each in json.loads(capsys.readouterr().out)["defenses"] if each["name"] == "midrange"]
    assert midrange == {"name": "midrange", "description": "Average the extremes.", "options": [], **UNSTATED}
    assert main(["list", "defenses", "--json"]) == 0
    assert "midrange" not in capsys.readouterr().out


def test_a_run_is_forecast_played_and_resumed_with_its_plug_in(tmp_path, capsys, monkeypatch):
    assert main(["run", *WORDS, *PLUGIN, "--dry-run", "--json"]) == 0
    assert main(["run", *WORDS, *PLUGIN, "--out", "straight", "--json"]) == 0
    capsys.readouterr()
    with monkeypatch.context() as patch:
        stop = lambda self, done, news: done == 5 and signal.raise_signal(signal.SIGINT)  # noqa: E731
        patch.setattr("sparring.cli.progress.Lines.show", stop)
        assert main(["run", *WORDS, *PLUGIN, "--out", "run"]) == 130
    assert refusal(capsys) == f"stopped after round 5; resume with: sparring resume run --plugin {MODULE}"
    assert main(["resume", "run"]) == 1
    assert refusal(capsys) == f"run was run with a plug-in that is not loaded; if you trust it, add --plugin {MODULE}"
    assert main(["resume", "run", *PLUGIN, "--json"]) == 0
    assert lasting(tmp_path / "run") == lasting(tmp_path / "straight")


def test_a_configuration_file_loads_nothing(tmp_path, capsys):
    (tmp_path / "run.yaml").write_text(f"plugin: {MODULE}\n")
    assert main(["run", "run.yaml"]) == 2
    assert refusal(capsys).startswith("the configuration has no key 'plugin'")
    assert main(["run", f"defense.name={MODULE}:Midrange"]) == 2
    assert refusal(capsys).startswith(f"unknown defense '{MODULE}:Midrange'")


@pytest.mark.parametrize("command", [["list"], ["run"], ["resume", "run"], ["check-plugin", f"{MODULE}:Midrange"]])
def test_a_plug_in_that_is_not_there_is_one_line(capsys, command):
    assert main([*command, "--plugin", "nowhere"]) == 2
    assert refusal(capsys) == "there is no module 'nowhere'; install it, or change to the folder that holds it"


def test_a_plug_in_that_fails_in_a_run_is_one_line(tmp_path, capsys, monkeypatch):
    write_plugin(tmp_path, monkeypatch, SOURCE.replace("return low / 2 + high / 2, memory", "return None"))
    assert main(["run", *WORDS, *PLUGIN, "--out", "run"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "sparring: defense Behind returned NoneType; it must return a step and its memory"


def test_a_run_without_its_plug_in_knows_no_such_name(capsys, monkeypatch):
    forget(monkeypatch)
    assert main(["run", *WORDS]) == 2
    assert refusal(capsys).startswith("unknown data 'stairs'")
