"""The scalar game of figure 3: its exact table, its saddle and its single steps, and what simulation makes of it."""

import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact import TugOfWar, pure_saddles
from sparring.random import stream

GAME = TugOfWar(eta=0.2, epsilon=0.1, optimum=20, start=-10, validation=50, reach=2, rounds=30)
TABLE = [[6.4974e-5, 1.0281e-5, 6.6777e-7], [6.7659e-4, 6.1582e-5, 1.5402e-5], [6.0507e-3, 2.3217e-3, 6.1582e-5]]


def test_the_table_of_expected_losses_is_that_of_figure_3():
    np.testing.assert_allclose(GAME.expected_losses(), TABLE, rtol=5e-5)


def test_level_2_against_level_2_is_the_saddle_and_the_only_one():
    losses = GAME.expected_losses()
    assert pure_saddles(losses) == [(2, 2)]
    assert losses[2, 2] == pytest.approx(losses[1, 1])


def test_a_higher_level_pays_both_players():
    losses = GAME.expected_losses()
    assert (np.diff(losses, axis=0) > 0).all()
    assert (np.diff(losses, axis=1) < 0).all()


@pytest.mark.parametrize(
    "game",
    [GAME, TugOfWar(epsilon=1.7, rounds=2), TugOfWar(eta=2.0, epsilon=0.9, rounds=1), TugOfWar(reach=0.3, rounds=3)],
    ids=["published", "large epsilon", "large step", "small reach"],
)
def test_the_integrals_equal_sums_over_a_fine_grid(game):
    inputs = game.reach * (np.arange(400_000) + 0.5) / 400_000
    for cell in np.ndindex(3, 3):
        gap = game.step(game.start, inputs, attack=cell[0], defense=cell[1]) - game.optimum
        mean = np.mean((gap / (game.start - game.optimum)) ** 2)
        start = ((game.start - game.optimum) * game.validation) ** 2
        assert game.expected_losses()[cell] == pytest.approx(start * mean**game.rounds, rel=3e-4)


@pytest.mark.parametrize(("x", "overshoots"), [(0.7, False), (1.9, True)])
def test_only_level_2_knows_that_a_step_can_go_too_far(x, overshoots):
    after = {
        (attack, defense): abs(GAME.step(-10, np.array([x]), attack=attack, defense=defense)[0] - 20)
        for attack, defense in [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2)]
    }
    assert (GAME.step(-10, np.array([x]), attack=0, defense=0)[0] > 20) == overshoots
    assert after[2, 0] > after[0, 0] > after[0, 2]
    assert (after[1, 0] < after[0, 0] < after[0, 1]) == overshoots


@pytest.mark.parametrize(("x", "slopes"), [(0.7, (-2_520_000, -2_026_080)), (1.9, (-6_840_000, 3_036_960))])
def test_the_slopes_are_the_published_closed_forms(x, slopes):
    assert [GAME.slope(-10, np.array([x]), level=level)[0] for level in (1, 2)] == pytest.approx(slopes)


def test_a_mean_of_simulated_plays_misses_the_expected_loss_and_the_typical_loss_lies_far_below_it():
    losses = GAME.simulate(stream(0, "plays"), plays=20_000)
    assert losses.shape == (3, 3, 20_000)
    # 30 heavy-tailed factors: few plays decide the mean, which is why the table is exact instead.
    assert abs(np.log(losses.mean(axis=2) / GAME.expected_losses())).max() > 0.5
    assert (np.median(losses, axis=2) < 1e-3 * GAME.expected_losses()).all()
    spread = np.log(losses).std(axis=2) / np.sqrt(20_000)
    assert (abs(np.log(losses).mean(axis=2) - np.log(GAME.typical_losses())) < 4.5 * spread).all()


def test_few_rounds_are_simulated_exactly():
    game = TugOfWar(rounds=1)
    losses = game.simulate(stream(0, "plays"), plays=200_000)
    np.testing.assert_allclose(losses.mean(axis=2), game.expected_losses(), rtol=0.01)


def test_no_rounds_leave_the_first_loss():
    assert (TugOfWar(rounds=0).expected_losses() == (30 * 50) ** 2).all()


@pytest.mark.parametrize("wrong", [{"epsilon": 0}, {"eta": -1}, {"reach": 0}, {"rounds": -1}, {"start": float("nan")}])
def test_a_game_that_cannot_be_played_is_refused(wrong):
    with pytest.raises(ConfigError, match="use "):
        TugOfWar(**wrong)
