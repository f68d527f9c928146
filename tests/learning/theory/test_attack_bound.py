from dataclasses import replace

import pytest

from sparring.errors import ConfigError
from sparring.learning.theory.attack_bound import Ingredients, attack_bound, round_lipschitz, value_lipschitz

GIVEN = Ingredients(
    lipschitz=2.0, cross_smoothness=3.0, convexity=0.5, smoothness=1.0, distance=0.1, benign=0.8, lr=0.5, steps=2
)


def test_the_bound_is_that_of_the_worked_example():
    # K_F = .8 max(.75, .5) = .6, L_v = (1 + .6)(2 + 2 * .6) = 5.12, 2 * 2 * .8 * .1 ((2 + 5.12) * 3 * .5 + 4) = 4.6976
    assert round_lipschitz(GIVEN) == pytest.approx(0.6)
    assert value_lipschitz(GIVEN) == pytest.approx(5.12)
    assert attack_bound(GIVEN) == pytest.approx(4.6976)


def test_a_round_may_overshoot():
    assert round_lipschitz(replace(GIVEN, lr=4.0)) == pytest.approx(0.8 * 3)


def test_the_value_is_bounded_however_long_the_game():
    """Where a round brings models closer, L_v is at most L (1 + K_F) / (1 - K_F), as the paper says."""
    assert value_lipschitz(replace(GIVEN, steps=1000)) == pytest.approx(2 * 1.6 / 0.4)


@pytest.mark.parametrize("without", ["distance", "benign", "steps"])
def test_nothing_is_lost_without_a_wrong_estimate_of_somebody_in_some_round(without):
    assert attack_bound(replace(GIVEN, **{without: 0})) == 0


@pytest.mark.parametrize("more", ["lipschitz", "cross_smoothness", "distance", "benign", "lr", "steps"])
def test_the_bound_rises_with(more):
    assert attack_bound(replace(GIVEN, **{more: 1.2 * getattr(GIVEN, more)} if more != "steps" else {"steps": 3})) > (
        attack_bound(GIVEN)
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"convexity": 2.0}, r"convexity is 2; it must be at least 0, at most the smoothness \(1\)"),
        ({"distance": -0.1}, "distance is -0.1; it must be at least 0"),
        ({"steps": -1}, "steps is -1; it must be at least 0"),
        ({"benign": 1.5}, "benign is 1.5; it must be a share, from 0 to 1"),
    ],
)
def test_constants_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        replace(GIVEN, **wrong)
