import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.games.exact.thresholds import SEAT, Thresholds


def returned(game, act):
    """Return the sum of rewards of an episode."""
    env = SeatEnv(game, SEAT)
    (seen, _), total, over = env.reset(seed=0), 0.0, False
    while not over:
        seen, reward, *ending, _ = env.step(np.array([act(seen)], dtype=np.float32))
        total, over = total + reward, any(ending)
    return total


def test_the_best_policy_returns_the_number_of_rounds():
    game = Thresholds()
    assert returned(game, lambda seen: game.best(round(seen[-1] * game.sampled))) == pytest.approx(game.rounds)
    assert returned(game, lambda seen: -0.8) < 0.97 * game.rounds


def test_the_step_of_a_count_is_the_last_that_it_reaches():
    game = Thresholds({1: -0.5, 3: 0.0, 7: 1.0})
    assert [game.best(count) for count in (1, 2, 3, 6, 7, 10)] == [-0.5, -0.5, 0, 0, 1, 1]


def test_a_state_survives_the_way_to_disk():
    game = Thresholds(others=4)
    state = game.initial(np.random.default_rng(0))
    assert game.codec.unpack(game.codec.pack(state)) == state


@pytest.mark.parametrize(
    "wrong", [{"steps": {}}, {"steps": {2: 0.0}}, {"steps": {1: 1.5}}, {"rounds": 0}, {"share": 2}]
)
def test_what_cannot_be_played_is_refused(wrong):
    with pytest.raises(ConfigError):
        Thresholds(**wrong)
