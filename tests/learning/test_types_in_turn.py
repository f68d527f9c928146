import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.evaluation import episode_returns, evaluate_policy
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.random import stream
from tests.learning.constants import always

GAMES = (Thresholds(rounds=3), Thresholds(rounds=5))
TASKS = [LearningTask(game, SEAT) for game in GAMES]


def in_turn(weights=(1.0, 3.0), over="mean"):
    return LearningTask(TypesInTurn(TASKS, weights, over), SEAT)


def parts(action):
    """Return what the two games give in an episode that begins like that of both."""
    game, rng = TypesInTurn(TASKS, (1.0, 1.0)), stream(0, "trial", 0)
    state = game.initial(rng)
    while not game.is_over(state):
        state = game.transition(state, {SEAT: np.array([action], np.float32)}, rng=rng)
    return state.gains


@pytest.mark.parametrize(
    ("weights", "over", "expected"),
    [
        ((1.0, 3.0), "mean", lambda one, other: (one + 3 * other) / 4),
        ((1.0, 0.0), "mean", lambda one, other: one),
        ((1.0, 3.0), "worst", min),
        ((0.0, 1.0), "worst", lambda one, other: other),
    ],
)
def test_an_episode_is_one_of_each_game(weights, over, expected):
    task = in_turn(weights, over)
    found, steps = episode_returns(task, [always(0.2)], numbers=[0], seed=0, name="trial")
    assert found.item() == pytest.approx(expected(*parts(0.2)))
    assert steps == 8


def test_the_first_game_is_played_as_alone():
    alone = evaluate_policy(TASKS[0], always(0.4), episodes=1, seed=0)
    assert parts(0.4)[0] == alone
    assert evaluate_policy(in_turn((1.0, 0.0)), always(0.4), episodes=1, seed=0) == alone


def test_policies_side_by_side_play_as_one_by_one():
    policies = [always(number) for number in (-0.5, 0.0, 0.5)]
    together, _ = episode_returns(in_turn(), policies, numbers=range(2), seed=1, name="x")
    for row, policy in zip(together, policies, strict=True):
        alone, _ = episode_returns(in_turn(), [policy], numbers=range(2), seed=1, name="x")
        assert alone[0].equal(row)


def test_a_state_is_packed_and_unpacked():
    game, rng = in_turn().game, stream(0)
    state = game.initial(rng)
    for _ in range(4):
        state = game.transition(state, {SEAT: np.array([0.1], np.float32)}, rng=rng)
    other = game.codec.unpack(game.codec.pack(state))
    assert other.place == 1
    assert other.gains == state.gains
    np.testing.assert_array_equal(game.observe(other, SEAT), game.observe(state, SEAT))


@pytest.mark.parametrize(
    ("weights", "over", "message"),
    [
        ((1.0,), "mean", "2 games have weights"),
        ((0.0, 0.0), "mean", "2 games have weights"),
        ((2.0, -1.0), "mean", "2 games have weights"),
        ((1.0, 1.0), "median", "over is 'median'; it must be mean or worst"),
    ],
)
def test_what_makes_no_sense_is_refused(weights, over, message):
    with pytest.raises(ConfigError, match=f"^games in turn: {message}"):
        in_turn(weights, over)


def test_all_games_have_the_same_seat():
    wider = LearningTask(Thresholds(others=5), SEAT)
    with pytest.raises(ConfigError, match="^games in turn: 2 different seats; all games must have the same seat$"):
        TypesInTurn([TASKS[0], wider], (1, 1))
