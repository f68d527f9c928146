"""What is printed in a narrow terminal: nothing is cut off, and what has no word too long for a line fits."""

import json

import pytest

from sparring.cli.list import KINDS, LEAST_FOR_COLUMNS
from sparring.cli.main import COMMANDS, main
from sparring.experiments.config.catalogues import CATALOGUES, list_members
from sparring.experiments.runs.run import run
from tests.experiments.report.studies import DOCUMENT, played
from tests.experiments.small import SETTINGS, small

WIDTHS = (60, 80)
CUT = "…"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A sweep with long names, a run and a file of that sweep."""
    place = tmp_path_factory.mktemp("narrow")
    played(place / "sweep")
    run(small(), place / "run")
    run(small("seed=1"), place / "other")
    return place


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def printed(capsys):
    return capsys.readouterr().out


def fits(out, width):
    return [line for line in out.splitlines() if len(line.rstrip()) > width and "/" not in line] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_whole(command, width, capsys):
    assert main([command, "--help"]) == 0
    out = printed(capsys)
    assert CUT not in out
    assert "\\" not in out
    assert fits(out, width)


def test_the_help_of_all_commands_is_whole(width, capsys):
    assert main(["--help"]) == 0
    out = printed(capsys)
    told = " ".join(out.split())
    assert all(f"{name} {summary}" in told for name, summary in COMMANDS.items())
    assert fits(out, width)


@pytest.mark.parametrize("kind", KINDS)
def test_a_catalogue_is_listed_whole(kind, width, capsys):
    assert main(["list", kind]) == 0
    out = printed(capsys)
    assert fits(out, width)
    told = "".join(out.split())
    members = list_members(kind) if kind in CATALOGUES else ()
    for member in members:
        assert member.name in told
        assert all(option.name in told for option in member.options)
        if width < LEAST_FOR_COLUMNS:
            assert "".join(member.description.split()) in told
    assert out.count(CUT) == sum(member.description.count(CUT) for member in members)


@pytest.mark.parametrize("command", [["report", "sweep"], ["report", "run"], ["show", "run"], ["show", "run", "other"]])
def test_what_folders_hold_is_shown_whole(command, folders, width, capsys):
    name, *words = command
    assert main([name, *(str(folders / word) for word in words)]) == 0
    out = printed(capsys)
    assert CUT not in out
    assert fits(out, width)


def test_a_forecast_and_a_result_are_printed_whole(width, capsys, tmp_path):
    attack = "attack={name: bfl, malicious: 2, target: 1, trigger: {name: square, size: 3}}"
    settings = [each for each in SETTINGS if not each.startswith(("attack", "data.features"))]
    words = [*settings, "data.name=digits", "data.classes=null"]
    words = [each for each in words if not each.startswith(("data.classes", "data.examples", "data.name=synthetic"))]
    assert main(["run", *words, attack, "--dry-run"]) == 0
    told = printed(capsys)
    assert CUT not in told
    assert fits(told, width)
    assert "square (size=3" in " ".join(told.split())
    assert main(["run", *SETTINGS, "--out", str(tmp_path / "run")]) == 0
    told = printed(capsys)
    assert CUT not in told
    assert fits(told, width)


def test_a_sweep_is_told_whole(width, capsys, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(DOCUMENT))
    for words in (["--dry-run"], ["--jobs", "1"]):
        assert main(["sweep", str(file), "--out", str(tmp_path / "sweep"), *words]) == 0
        out = printed(capsys)
        assert CUT not in out
        assert fits(out, width)
