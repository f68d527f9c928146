"""The curves of a reproduced figure."""

import sys

import pytest

from sparring.experiments.report import read_study
from sparring.experiments.sweeps import plan_sweep, sweep
from studies import curves
from tests.experiments.sweeps.grids import IPM, NO_ATTACK, grid

GRID = grid(attack=[NO_ATTACK, IPM], defense=[{"name": "mean"}, {"name": "median"}])


def test_there_is_a_panel_a_rule_with_the_mean_over_seeds_of_each_attack(tmp_path):
    sweep(plan_sweep({**GRID, "axes": {**GRID["axes"], "seed": [0, 1]}}), tmp_path / "grid")
    study = read_study(tmp_path / "grid")
    drawn = curves.make_panels(study, rules=[], attacks=[])
    assert list(drawn) == ["mean", "median"]
    assert list(drawn["mean"]) == list(study.axes["attack"])
    finals = study.where({"defense": "median", "attack": "none"}).frame["accuracy"]
    assert drawn["median"]["none"][-1][1] == finals.mean()
    assert list(curves.make_panels(study, rules=["median"], attacks=[])) == ["median"]
    assert list(curves.make_panels(study, rules=[], attacks=["none"])["mean"]) == ["none"]


def test_a_picture_is_drawn_of_a_folder(tmp_path, monkeypatch):
    sweep(plan_sweep(GRID), tmp_path / "grid")
    picture = tmp_path / "curves.png"
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "grid"), str(picture), "--rule", "mean"])
    curves.main()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_rule_that_is_not_played_is_one_line(tmp_path, monkeypatch, capsys):
    sweep(plan_sweep(GRID), tmp_path / "grid")
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "grid"), str(tmp_path / "curves.png"), "--rule", "krum"])
    with pytest.raises(SystemExit, match="2"):
        curves.main()
    assert capsys.readouterr().err.endswith("has no complete run of krum\n")
