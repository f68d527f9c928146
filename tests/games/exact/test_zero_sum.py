"""Zero-sum games: known values and mixtures, and equilibria that nobody can exploit."""

import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.zero_sum import exploitability, solve_zero_sum, worst_payoffs
from sparring.random import stream


def test_rock_paper_scissors_is_fair_and_played_evenly():
    solved = solve_zero_sum(np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0.0]]))
    assert solved.value == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose([solved.rows, solved.columns], np.full((2, 3), 1 / 3), atol=1e-9)


def test_a_game_of_two_by_two_has_the_mixtures_of_its_closed_form():
    (a, b), (c, d) = payoffs = np.array([[3.0, -1], [-2, 4]])
    total = a - b - c + d
    solved = solve_zero_sum(payoffs)
    assert solved.value == pytest.approx((a * d - b * c) / total)
    np.testing.assert_allclose(solved.rows, [(d - c) / total, (a - b) / total], atol=1e-9)
    np.testing.assert_allclose(solved.columns, [(d - b) / total, (a - c) / total], atol=1e-9)


def test_a_saddle_is_played_purely():
    solved = solve_zero_sum(np.array([[2.0, 5], [1, 7]]))
    assert solved.value == pytest.approx(2)
    np.testing.assert_allclose(solved.columns, [1, 0], atol=1e-9)
    np.testing.assert_allclose(solved.rows, [1, 0], atol=1e-9)


def test_the_most_even_of_several_optimal_mixtures_is_returned():
    payoffs = np.array([[1.0, 1, 1, 3], [1, 1, 1, 0]])
    solved = solve_zero_sum(payoffs)
    np.testing.assert_allclose(solved.columns, [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-9)
    assert solved.value == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1e-3, 1, 1e4])
def test_random_games_leave_nothing_to_exploit(seed, scale):
    payoffs = scale * stream(seed, "game").standard_normal((100, 100))
    solved = solve_zero_sum(payoffs)
    assert 0 <= exploitability(payoffs, solved) + 1e-12 * scale < 1e-9 * max(1, scale)
    assert solved.rows.sum() == pytest.approx(1)
    assert solved.rows.min() >= 0


def test_the_value_lies_between_what_pure_play_secures():
    payoffs = stream(0, "game").random((7, 5))
    solved = solve_zero_sum(payoffs)
    assert payoffs.min(axis=1).max() <= solved.value <= payoffs.max(axis=0).min()
    assert worst_payoffs(payoffs, solved.columns) == pytest.approx(solved.value)


def test_a_constant_game_is_played_evenly():
    solved = solve_zero_sum(np.full((2, 4), 0.3))
    assert solved.value == pytest.approx(0.3)
    np.testing.assert_allclose(solved.columns, np.full(4, 0.25))


@pytest.mark.parametrize("payoffs", [np.zeros((0, 2)), np.zeros(3), np.array([[np.nan]])])
def test_payoffs_that_are_no_table_are_refused(payoffs):
    with pytest.raises(ConfigError, match=r"^zero-sum game: payoffs of shape .*; give finite \[rows, columns\]$"):
        solve_zero_sum(payoffs)
