"""The empirical game of a sweep: payoffs, equilibrium, and intervals over seeds of the whole table."""

import numpy as np
import pandas as pd
import pytest

from sparring.errors import ConfigError
from sparring.experiments.analysis.equilibrium import (
    GameEstimate,
    PayoffTable,
    Weights,
    solve_game,
    tabulate_payoffs,
)
from sparring.experiments.sweeps.axes import METRICS
from sparring.random import stream

ATTACKS, DEFENSES = ("none", "ipm", "bfl"), ("mean", "median")
ACCURACY = {("none", "mean"): 0.9, ("ipm", "mean"): 0.2, ("bfl", "mean"): 0.9}
ACCURACY |= {("none", "median"): 0.8, ("ipm", "median"): 0.7, ("bfl", "median"): 0.8}
BACKDOOR = {("bfl", "mean"): 0.4, ("bfl", "median"): 0.6}


def frame(seeds=(0, 1, 2), *, lost=()):
    """Return runs whose accuracy falls by a hundredth per seed."""
    rows = [
        {
            **dict.fromkeys(METRICS, np.nan),
            "attack": attack,
            "defense": defense,
            "seed": seed,
            "accuracy": accuracy - seed / 100,
            "average_accuracy": accuracy / 2,
            "backdoor_accuracy": BACKDOOR.get((attack, defense), np.nan),
            "average_backdoor_accuracy": BACKDOOR.get((attack, defense), np.nan),
            "rounds": 10,
            "run": "x",
        }
        for (attack, defense), accuracy in ACCURACY.items()
        for seed in seeds
        if (attack, defense, seed) not in lost
    ]
    made = pd.DataFrame(rows)
    for axis, labels in (("attack", ATTACKS), ("defense", DEFENSES)):
        made[axis] = pd.Categorical(made[axis], categories=list(labels), ordered=True)
    return made


def test_payoffs_are_lost_accuracy_and_backdoor_accuracy_by_their_weights():
    table = tabulate_payoffs(frame(), weights=Weights(2, 3))
    assert (table.attacks, table.defenses, table.seeds) == (ATTACKS, DEFENSES, (0, 1, 2))
    np.testing.assert_allclose(table.payoffs[1], [[0.22, 0.42], [1.62, 0.62], [0.22 + 1.2, 0.42 + 1.8]])
    np.testing.assert_allclose(tabulate_payoffs(frame(), average=True).payoffs[2][0], [0.55, 0.6])


def test_a_label_can_be_left_out():
    table = tabulate_payoffs(frame(), without=["bfl"])
    assert table.attacks == ("none", "ipm")
    with pytest.raises(ConfigError, match=r"^--without x: no attack or defense of the sweep has this label$"):
        tabulate_payoffs(frame(), without=["x"])


def test_only_seeds_that_all_cells_have_count():
    assert tabulate_payoffs(frame(lost={("ipm", "mean", 1)})).seeds == (0, 2)
    lost = {("ipm", "mean", seed) for seed in range(3)}
    with pytest.raises(ConfigError, match=r"^game: no run of ipm against mean is complete; .* by --without mean$"):
        tabulate_payoffs(frame(lost=lost))
    with pytest.raises(ConfigError, match=r"^game: the cells have no seed in common; resume the sweep$"):
        tabulate_payoffs(frame((0, 1), lost={("ipm", "mean", 0), ("none", "mean", 1)}))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (Weights(-1, 1), "--accuracy-weight is -1; it must be at least 0"),
        (Weights(1, float("nan")), "--backdoor-weight is nan; it must be at least 0"),
        (Weights(0, 0), "--accuracy-weight and --backdoor-weight are both 0; give one of them a weight above 0"),
    ],
)
def test_weights_without_a_meaning_are_refused(weights, words):
    with pytest.raises(ConfigError, match=f"^{words}$"):
        tabulate_payoffs(frame(), weights=weights)


def test_other_axes_are_refused():
    with pytest.raises(ConfigError, match=r"^game: the axes are attack; it needs a sweep over attacks and defenses$"):
        tabulate_payoffs(frame().drop(columns="defense"))


def test_the_equilibrium_of_the_mean_table():
    game = solve_game(tabulate_payoffs(frame(seeds=(0,))))
    # Rows: none .1 .2, ipm .8 .3, bfl .5 .8. Attackers mix ipm and bfl, so that both defenses pay the same.
    share = 0.3 / 0.8
    assert game.attacks["ipm"].value == pytest.approx(share)
    assert game.attacks["none"].value == 0
    assert game.value.value == pytest.approx(0.8 * share + 0.5 * (1 - share))
    assert game.defenses["mean"].weight.value == pytest.approx(0.5 / 0.8)
    assert game.defenses["mean"].worst == GameEstimate(pytest.approx(0.8))
    assert game.defenses["mean"].worst_attack == "ipm"
    assert game.defenses["median"].exploitability.value == pytest.approx(0.8 - game.value.value)
    assert game.value.low is None
    assert game.defenses["mean"].best_in is None


def test_intervals_resample_the_seeds_of_the_whole_table():
    common = stream(0, "noise").normal(0, 0.05, (6, 1, 1))
    payoffs = np.array([[0.1, 0.2], [0.8, 0.3], [0.5, 0.7]]) + common
    game = solve_game(PayoffTable(ATTACKS, DEFENSES, tuple(range(6)), payoffs))
    # What moves all cells of a seed together moves the value as it moves a game of one cell, and nothing else.
    moved = solve_game(PayoffTable(("a",), ("d",), tuple(range(6)), common)).value
    assert game.value.high - game.value.value == pytest.approx(moved.high - moved.value)
    assert game.value.value - game.value.low == pytest.approx(moved.value - moved.low)
    assert moved.high - moved.low > 0.01
    for entry in game.defenses.values():
        assert entry.exploitability.high - entry.exploitability.low < 1e-6
        assert entry.weight.high - entry.weight.low < 1e-6
    assert game.commitment == "median"
    assert game.defenses["median"].best_in == 1
    assert game.value == solve_game(game.table).value


def test_the_interval_of_a_single_pure_game_is_that_of_a_mean():
    values = stream(1, "noise").normal(0.5, 0.1, 30)
    game = solve_game(PayoffTable(("a",), ("d",), tuple(range(30)), values[:, None, None]))
    half = 2.045 * values.std(ddof=1) / np.sqrt(30)
    assert game.value.value == pytest.approx(values.mean())
    assert game.value.high - game.value.low == pytest.approx(2 * half, rel=0.15)
