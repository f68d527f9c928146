"""The table of every attack against every rule, on a grid that takes no time."""

import sys

import pandas as pd
import pytest
import torch

from sparring.attacks import ATTACKS, CoordinatedAttack, LearnedAttack, ScaledGradient
from sparring.defenses import DEFENSES, Clipped, LearnedDefense
from sparring.experiments.jobs.workers import InlineWorkers
from sparring.experiments.sweeps import plan_sweep
from sparring.registry import lookup
from studies import table
from tests.experiments.sweeps.grids import IPM, NO_ATTACK, complete, grid
from tools.site.examples import player
from tools.site.plane import server, sign_flips

GRID = grid(attack=[NO_ATTACK, IPM], defense=[{"name": "mean"}, {"name": "median"}])


def classes(catalogue):
    return (lookup("member", catalogue, name) for name in catalogue)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return what writes the page, and returns it."""
    monkeypatch.setattr(table, "LocalWorkers", InlineWorkers)

    def write(document, *words):
        monkeypatch.setattr(table, "document", lambda: document)
        monkeypatch.setattr(sys, "argv", ["", "--runs", f"{tmp_path}", "--out", f"{tmp_path / 'page.md'}", *words])
        table.main()
        return (tmp_path / "page.md").read_text(encoding="utf-8")

    return write


def test_every_attack_meets_every_rule_and_none_comes_first():
    axes = plan_sweep(table.document()).axes
    untargeted = {attack for attack in classes(ATTACKS) if not hasattr(attack, "triggered")}
    assert {lookup("attack", ATTACKS, name) for name in axes["attack"]} == untargeted - {
        CoordinatedAttack,
        LearnedAttack,
        ScaledGradient,
    }
    assert {lookup("defense", DEFENSES, name) for name in axes["defense"]} == {*classes(DEFENSES)} - {
        Clipped,
        LearnedDefense,
    }
    assert axes["attack"][0] == "none"
    assert axes["seed"] == ("0", "1", "2")


def test_rules_that_share_a_row_take_the_same_step():
    rules = {member.name: server(player(member)) for member in table.rules()}
    for one, other in table.SAME.items():
        steps = [rules[name].step(5 * sign_flips().updates) for name in (one, other)]
        torch.testing.assert_close(*steps, rtol=0, atol=0)


def test_the_page_has_a_row_a_rule_and_a_column_an_attack(write, tmp_path):
    page = write(GRID, "--jobs", "1")
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    assert rows == ["| rule", "| ---", "| `mean`", "| `median`"]
    assert "| rule | `none` | `ipm (malicious=2)` |" in page
    assert complete(tmp_path) == 4


def test_the_time_is_told_where_all_was_played_at_once(write):
    assert write(GRID).endswith("--jobs 2`: 4 runs, 0 minutes.\n")
    assert write(GRID).endswith("--jobs 2`: 4 runs.\n")
    assert write(GRID, "--minutes", "49").endswith("--jobs 2`: 4 runs, 49 minutes.\n")


def test_there_is_no_page_without_all_runs(write, tmp_path):
    impossible = {"data.root_size": 10**6}
    with pytest.raises(SystemExit, match="1 runs failed"):
        write({**GRID, "axes": {"attack": {"none": {"attack": NO_ATTACK}, "x": impossible}}})
    assert not (tmp_path / "page.md").exists()


def test_less_than_half_of_what_is_reached_without_attack_is_bold():
    runs = pd.DataFrame(
        [
            {"defense": "mean", "attack": attack, "accuracy": accuracy}
            for attack, accuracy in [("none", 0.9), ("weak", 0.46), ("strong", 0.44)]
        ]
    )
    assert table.written(runs).splitlines()[-1] == "| `mean` | 0.90 | **0.44** | 0.46 |"


def test_rules_that_cannot_bear_the_share_are_starred():
    runs = pd.DataFrame(
        [
            {"defense": rule, "attack": attack, "accuracy": 0.9}
            for rule in ("bulyan", "mean")
            for attack in ("none", "ipm")
        ]
    )
    rows = [line.split(" | ")[0] for line in table.written(runs).splitlines() if line.startswith("| `")]
    assert rows == ["| `bulyan` *", "| `mean`"]


def test_several_seeds_have_a_mean_and_an_interval():
    runs = pd.DataFrame(
        [
            {"defense": "mean", "attack": attack, "accuracy": accuracy + noise}
            for attack, accuracy in [("none", 0.9), ("ipm", 0.2)]
            for noise in (-0.01, 0.0, 0.01)
        ]
    )
    told = "| `mean` | 0.90 [0.88,\u00a00.92] | **0.20** [0.18,\u00a00.22] |"
    assert table.written(runs).splitlines()[-1] == told
    assert "seeds 0, 1, 2" in table.about([0, 1, 2])
    assert table.SEVERAL_SEEDS in table.about([0, 1, 2])


def test_attackers_that_see_their_own_clients_have_a_table_of_their_own():
    runs = pd.DataFrame(
        [{"defense": "clipping_median", "attack": attack, "accuracy": 0.9} for attack in ("none", "eb", "ipm")]
    )
    text = table.written(runs)
    assert (
        text.index(f"## {table.BLIND}") < text.index("`eb`") < text.index(f"## {table.INFORMED}") < text.index("`ipm`")
    )
    assert text.count("| `clipping_median`, `clipped` | 0.90 | 0.90 |") == 2
