from math import exp

import pytest

from sparring.errors import ConfigError
from sparring.games.exact.coins import (
    HEADS,
    TAILS,
    Coins,
    adapted_value,
    bayesian_value,
    perfect_bayesian_value,
    type_value,
)


def sigmoid(theta):
    return 1 / (1 + exp(-theta))


def test_the_standard_game_is_worth_one_one_and_a_half_and_twice_a_sigmoid():
    assert bayesian_value(Coins()) == 1
    assert perfect_bayesian_value(Coins()) == 1.5
    for step in (0.0, 0.5, 3.0):
        assert adapted_value(Coins(), 0.0, step=step) == pytest.approx(2 * sigmoid(step / 2))
    assert adapted_value(Coins(), 0.0, step=100.0) == pytest.approx(2)


@pytest.mark.parametrize(("prior", "rounds"), [(0.5, 1), (0.3, 4), (0.9, 3)])
def test_reliable_coins_are_known_after_one_round(prior, rounds):
    game = Coins(prior, rounds)
    assert bayesian_value(game) == pytest.approx(rounds * max(prior, 1 - prior))
    assert perfect_bayesian_value(game) == pytest.approx(max(prior, 1 - prior) + rounds - 1)


@pytest.mark.parametrize("reliability", [0.5, 0.7, 0.95])
def test_an_unreliable_coin_tells_less(reliability):
    game = Coins(reliability=reliability)
    assert bayesian_value(game) == pytest.approx(1)
    # After one side the type has it with the coin's reliability.
    assert perfect_bayesian_value(game) == pytest.approx(0.5 + reliability**2 + (1 - reliability) ** 2)


@pytest.mark.parametrize(("rounds", "reliability", "step"), [(3, 1.0, 0.4), (2, 0.8, 2.0)])
def test_other_games_adapt_by_other_steps(rounds, reliability, step):
    edge = 2 * reliability - 1
    expected = rounds * (0.5 + edge * (sigmoid(step * rounds * edge / 4) - 0.5))
    assert adapted_value(Coins(rounds=rounds, reliability=reliability), 0.0, step=step) == pytest.approx(expected)


@pytest.mark.parametrize("theta", [-1.5, 0.0, 0.7])
def test_a_step_follows_the_slope_of_each_type(theta):
    game, near = Coins(0.3, 3, 0.9), 1e-6
    expected = 0.0
    for side, share in ((HEADS, 0.3), (TAILS, 0.7)):
        slope = (type_value(game, theta + near, side=side) - type_value(game, theta - near, side=side)) / (2 * near)
        expected += share * type_value(game, theta + 0.8 * slope, side=side)
    assert adapted_value(game, theta, step=0.8) == pytest.approx(expected)


@pytest.mark.parametrize("step", [0.1, 2.0, 30.0])
def test_the_middle_is_the_best_start_for_equal_types(step):
    best = adapted_value(Coins(), 0.0, step=step)
    assert all(adapted_value(Coins(), theta / 10, step=step) < best for theta in range(-40, 41) if theta)


@pytest.mark.parametrize("wrong", [{"prior": 0.0}, {"rounds": 0}, {"reliability": 0.4}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"cannot be played; use 0 < prior < 1"):
        Coins(**wrong)
