import pytest

from sparring.errors import RunError
from sparring.experiments import parse_config
from sparring.experiments.config.build import validate
from sparring.experiments.reproductions import demo
from sparring.experiments.reproductions.demo import (
    ATTACKS,
    CELLS,
    RULES,
    DemoCell,
    document,
    run_cell,
    run_cells,
    summarize,
)
from tests.experiments.killing import die


def test_every_run_can_be_played():
    assert len(CELLS) == len(ATTACKS) * len(RULES) == 12
    for cell in CELLS:
        validate(parse_config(document(cell)))


def test_a_run_in_a_process_of_its_own_comes_to_what_it_comes_to_here(monkeypatch):
    monkeypatch.setattr(demo, "CELLS", CELLS[-1:])
    ((cell, curve),) = run_cells(rounds=2)
    assert cell == DemoCell("LMP", "centered clipping")
    assert curve == run_cell(cell, rounds=2)
    assert [round for round, _ in curve] == [0, 2]


def test_a_process_that_is_killed_is_told_of(monkeypatch):
    monkeypatch.setattr(demo, "run_cell", die)
    monkeypatch.setattr(demo, "CELLS", CELLS[:1])
    with pytest.raises(RunError, match="a process of the demonstration was killed"):
        list(run_cells())


def test_the_verdict_says_what_the_accuracies_show():
    accuracies = dict.fromkeys(CELLS, 0.9) | {
        DemoCell("IPM", "FedAvg"): 0.104,
        DemoCell("LMP", "FedAvg"): 0.2,
        DemoCell("IPM", "Krum"): 0.8,
        DemoCell("LMP", "Krum"): 0.3,
        DemoCell("LMP", "median"): 0.7,
        DemoCell("IPM", "centered clipping"): 0.8599,
    }
    assert summarize(accuracies) == (
        "With 10 of 50 clients malicious, IPM lowers the accuracy of FedAvg from 90% to 10%;\n"
        "centered clipping keeps at least 85% under every attack shown."
    )
