import signal

import pytest

from sparring.cli.main import main
from sparring.experiments.reproductions.demo import CELLS, summarize
from tests.cli.test_main import refusal

CURVES = {cell: [(0, 0.1), (5, place / 20)] for place, cell in enumerate(CELLS)}


@pytest.fixture
def quick(monkeypatch):
    """Let the runs of the demonstration take no time."""
    monkeypatch.setattr("sparring.cli.demo.run_cells", lambda: iter(CURVES.items()))


def test_the_demonstration_prints_a_table_and_draws_a_picture(tmp_path, capsys, quick, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["demo", "--out", str(tmp_path / "größer 1")]) == 0
    out, err = capsys.readouterr()
    assert (tmp_path / "größer 1/accuracy.png").read_bytes().startswith(b"\x89PNG")
    assert all(word in out for word in ("FedAvg", "centered clipping", "no attack", "IPM", "LMP", "55.0%"))
    assert summarize({cell: curve[-1][1] for cell, curve in CURVES.items()}) in out
    assert len(err.splitlines()) == len(CELLS)


def test_a_folder_that_cannot_be_made_is_told_of_before_anything_is_played(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sparring.cli.demo.run_cells", lambda: pytest.fail("something was played"))
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file/demo")]) == 1
    assert "not a directory" in refusal(capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demonstration(tmp_path, capsys, monkeypatch, number):
    monkeypatch.setattr("sparring.cli.demo.run_cells", lambda: signal.raise_signal(number))
    assert main(["demo", "--out", str(tmp_path)]) == 130
    assert refusal(capsys) == "interrupted"
    assert not list(tmp_path.iterdir())
