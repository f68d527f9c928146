"""The federated game as the libraries' own checks see it."""

import warnings

import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test
from stable_baselines3.common.env_checker import check_env as check_for_baselines

from sparring.games.env import SeatEnv, SeatsEnv
from tests.attacks.learned.policies import constant
from tests.games.federated.playing import attackers_game, full_game

OPPONENTS = {"attacker": {}, "defender": {}}


def seat_env(seat):
    """Return the env of a seat; the other one's policy always answers the same."""
    game = full_game()
    (other,) = game.seats.keys() - {seat}
    space = game.seats[other]
    return SeatEnv(game, seat, opponents={other: constant(*[0.1] * space.action, inputs=space.observation)})


@pytest.mark.parametrize("seat", ["attacker", "defender"])
def test_each_seat_passes_gymnasiums_check(seat):
    check_env(seat_env(seat), skip_render_check=True)


@pytest.mark.parametrize("seat", ["attacker", "defender"])
def test_each_seat_passes_the_check_of_the_learners(seat):
    with warnings.catch_warnings():
        check_for_baselines(seat_env(seat))


def test_an_attackers_game_passes_both():
    env = SeatEnv(attackers_game(layers=None), "attacker")
    check_env(env, skip_render_check=True)
    check_for_baselines(env)


def test_all_seats_pass_pettingzoos_checks(capsys):
    parallel_api_test(SeatsEnv(full_game()), num_cycles=30)
    parallel_seed_test(lambda: SeatsEnv(full_game()), num_cycles=20)
