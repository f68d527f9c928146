import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.thresholds import SEAT, Thresholds
from sparring.learning.evaluation import Playing, episode_returns, evaluate_policy
from sparring.learning.search import ConstantActions, CrossEntropySearch
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


def test_an_episode_above_a_floor_is_whole_and_one_below_ends_after_the_game_that_decides():
    worst = in_turn(over="worst")
    whole, _ = episode_returns(worst, [always(0.2)], numbers=[0, 1], seed=0, name="trial")
    for floor, games in ((whole.min().item() - 1, 8 + 8), (100.0, 3 + 3)):
        playing = Playing(floors=(floor, floor))
        found, steps = episode_returns(worst, [always(0.2)], numbers=[0, 1], seed=0, name="trial", playing=playing)
        assert steps == games
        assert (found >= whole).all()
    assert found[0, 0].item() == parts(0.2)[0]


def test_a_game_without_weight_decides_nothing_and_a_mean_is_never_cut():
    for task in (in_turn((0.0, 1.0), "worst"), in_turn(over="mean")):
        playing = Playing(floors=(100.0,))
        whole, _ = episode_returns(task, [always(0.2)], numbers=[0], seed=0, name="trial")
        found, steps = episode_returns(task, [always(0.2)], numbers=[0], seed=0, name="trial", playing=playing)
        assert steps == 8
        assert found.equal(whole)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_race_finds_as_good_an_action_in_fewer_steps(seed):
    easy = Thresholds(steps={1: 0.5}, rounds=10)
    hard = Thresholds(steps={1: -0.3}, rounds=10)
    tasks = [LearningTask(game, SEAT) for game in (hard, easy, easy, easy, easy)]
    task = LearningTask(TypesInTurn(tasks, (1.0,) * 5, "worst"), SEAT)
    best, spent = [], []
    for racing in (False, True):
        search, state = CrossEntropySearch(ConstantActions(), racing=racing), None
        state = search.initial(task, seed=seed)
        for _ in range(6):
            state = search.advance(state, task, seed=seed)
        state = search.choose(state, task, seed=seed)
        best.append(evaluate_policy(task, search.policies(state, task)[SEAT], episodes=2, seed=seed + 10))
        spent.append(state.steps)
    assert spent[1] < 0.8 * spent[0]
    assert best[1] > best[0] - 0.2
    assert best[1] > 7.5  # the best constant, 0.1, returns 8
