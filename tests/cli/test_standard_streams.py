import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import sparring.cli.audit
import sparring.cli.harden
from sparring.cli.main import COMMANDS as ALL_COMMANDS
from sparring.cli.main import main
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.reproductions import CALCULATIONS
from sparring.experiments.reproductions.demo import CELLS
from tests.cli.test_main import refusal
from tests.experiments.audit.verdicts import finished, verdict
from tests.experiments.hardening.asking import hardened
from tests.experiments.report.studies import study
from tests.experiments.reproductions.calculations import counting
from tests.experiments.small import SETTINGS, lasting
from tests.experiments.sweeps.grids import NO_ATTACK, grid, written


@contextmanager
def full() -> Iterator[io.TextIOWrapper]:
    """Yield a stream to a device that is always full."""
    raw = io.FileIO("/dev/full", "w")
    try:
        yield io.TextIOWrapper(io.BufferedWriter(raw), "utf-8")
    finally:
        raw.close()


@contextmanager
def closed() -> Iterator[io.TextIOWrapper]:
    """Yield a stream to a pipe that nobody reads from any more."""
    reading, writing = os.pipe()
    os.close(reading)
    raw = io.FileIO(writing, "w")
    try:
        yield io.TextIOWrapper(io.BufferedWriter(raw), "utf-8")
    finally:
        raw.close()


@pytest.fixture
def work(folder, monkeypatch) -> None:
    """Hold a run and a sweep file, and let what takes long take no time."""
    monkeypatch.setattr("sparring.cli.options.LocalWorkers", lambda count: InlineWorkers())
    monkeypatch.setattr(sparring.cli.audit, "audit", lambda *_, **__: finished(verdict()))
    monkeypatch.setattr(sparring.cli.harden, "harden", lambda *_, **__: hardened())
    monkeypatch.setitem(CALCULATIONS, "counting", counting())
    monkeypatch.setattr("sparring.cli.demo.run_cells", lambda: ((cell, [(0, 0.1), (5, 0.5)]) for cell in CELLS))
    monkeypatch.setattr("sparring.cli.game.read_study", lambda _: study(AXES, {("none", "mean", "0"): 0.5}))
    assert main(["run", *SETTINGS, "--out", "there"]) == 0
    written(folder, grid(attack=[NO_ATTACK]))


AXES = {"attack": ["none"], "defense": ["mean"], "seed": ["0"]}
COMMANDS = [
    ["--help"],
    ["--version"],
    ["run", *SETTINGS, "--out", "new"],
    ["run", *SETTINGS, "--out", "new", "--json"],
    ["run", *SETTINGS, "--dry-run"],
    ["run", *SETTINGS, "--dry-run", "--json"],
    ["resume", "there"],
    ["resume", "there", "--json"],
    ["sweep", "grid.yaml", "--out", "grid"],
    ["sweep", "grid.yaml", "--out", "grid", "--json"],
    ["sweep", "grid.yaml", "--out", "grid", "--dry-run"],
    ["reproduce", "counting", "--scale", "smoke", "--out", "preset"],
    ["audit", "defense.name=krum"],
    ["audit", "defense.name=krum", "--json"],
    ["harden", *SETTINGS[:-3], "--out", "d.safetensors"],
    ["harden", *SETTINGS[:-3], "--out", "d.safetensors", "--json"],
    ["game", "there"],
    ["game", "there", "--json"],
    ["report", "there", "--html", "page.html"],
    ["show", "there"],
    ["show", "there", "--json"],
    ["list"],
    ["list", "datasets", "--json"],
    ["check-plugin", "sparring.data.partitions.iid:Iid"],
    ["check-plugin", "sparring.data.partitions.iid:Iid", "--json"],
    ["demo"],
]


def test_every_command_is_tried():
    assert ALL_COMMANDS.keys() <= {words[0] for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_output_that_is_refused_is_told_in_one_line_at_the_end(work, capsys, monkeypatch, words):
    capsys.readouterr()
    with full() as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert main(words) == 1
        assert sys.stdout is stream
    *_, line = capsys.readouterr().err.splitlines()
    assert line == "sparring: standard output: no space left on device; files that the command saved are intact"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_enough_is_no_error(work, capsys, monkeypatch, words):
    capsys.readouterr()
    with closed() as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert main(words) == 0
    assert "standard output" not in capsys.readouterr().err


@pytest.mark.parametrize("broken", [full, closed])
def test_a_run_whose_progress_cannot_be_shown_is_played_all_the_same(work, folder, capsys, monkeypatch, broken):
    with broken() as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        assert main(["run", *SETTINGS, "--out", "new", "--json"]) == 0
    assert lasting(folder / "new") == lasting(folder / "there")


def test_a_report_is_written_whether_or_not_its_tables_can_be_printed(work, folder, monkeypatch):
    with full() as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert main(["report", "there", "--html", "page.html"]) == 1
    assert (folder / "page.html").read_text().rstrip().endswith("</html>")


def test_an_error_keeps_its_line_and_its_code_where_output_fails_too(work, capsys, monkeypatch):
    capsys.readouterr()
    with full() as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        assert main(["list", "nothing"]) == 2
    assert refusal(capsys).startswith("unknown name 'nothing'")


def test_a_command_without_standard_streams_does_its_work(work, folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        assert main(["run", *SETTINGS, "--out", "new"]) == 0
    assert lasting(folder / "new") == lasting(folder / "there")


def test_a_stream_of_another_kind_is_written_to_as_it_is(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        assert main(["list", "partitions", "--json"]) == 0
        assert "partitions" in json.loads(sys.stdout.getvalue())
