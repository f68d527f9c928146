"""The double oracle reaches the value of the whole game with a part of its strategies."""

import numpy as np
import pytest

from sparring.games.exact.double_oracle import Oracles, play_double_oracle
from sparring.games.exact.zero_sum import solve_zero_sum
from sparring.random import stream


def oracles(payoffs):
    """Return exact oracles of a matrix game."""

    def payoff(row, column):
        return float(payoffs[row, column])

    def answer_columns(mixture):
        return int(sum(p * payoffs[:, column] for column, p in mixture).argmax())

    def answer_rows(mixture):
        return int(sum(p * payoffs[row] for row, p in mixture).argmin())

    return Oracles(payoff, answer_columns, answer_rows)


@pytest.mark.parametrize("seed", range(5))
def test_it_ends_at_the_value_of_the_whole_game(seed):
    payoffs = stream(seed, "game").standard_normal((40, 30))
    *_, last = play_double_oracle(oracles(payoffs), rows=[0], columns=[0])
    assert last.solution.value == pytest.approx(solve_zero_sum(payoffs).value, abs=1e-8)
    assert last.exploitability <= 2e-9
    np.testing.assert_array_equal(last.payoffs, payoffs[np.ix_(last.rows, last.columns)])


def test_what_can_be_exploited_bounds_the_value_from_both_sides():
    payoffs = stream(0, "game").standard_normal((40, 30))
    value = solve_zero_sum(payoffs).value
    for iterate in play_double_oracle(oracles(payoffs), rows=[0], columns=[0]):
        assert iterate.solution.value - iterate.column_gain <= value + 1e-8
        assert value <= iterate.solution.value + iterate.row_gain + 1e-8


def test_a_dominated_strategy_is_never_added():
    payoffs = np.array([[1.0, 0, 5], [0, 1, 5], [-9, -9, -9]])
    *_, last = play_double_oracle(oracles(payoffs), rows=[0], columns=[0])
    assert 2 not in last.rows
    assert 2 not in last.columns
    assert last.solution.value == pytest.approx(0.5)


def test_an_equilibrium_ends_it_at_once():
    first, *others = play_double_oracle(oracles(np.array([[2.0, 5], [1, 7]])), rows=[0], columns=[0])
    assert not others
    assert first.exploitability == pytest.approx(0, abs=1e-9)
