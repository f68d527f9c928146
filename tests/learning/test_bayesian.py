import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.coins import Coins, bayesian_value, perfect_bayesian_value
from sparring.games.exact.matrix import MatrixGame
from sparring.learning.bayesian import (
    RepeatedGame,
    bayesian_stackelberg,
    concealment_gains,
    perfect_bayesian,
    update_belief,
)


def repeated(coins):
    return RepeatedGame(coins.stage, coins.rounds, coins.shown)


def shy(preference, rounds=2):
    """Return a game in which each type prefers its own column a little, and above all not to be named."""
    leader = np.eye(2)
    follower = np.stack([np.outer(1 - own, np.ones(2)) + preference * own for own in np.eye(2)])
    return RepeatedGame(MatrixGame(np.stack([leader, leader]), follower, np.array([0.5, 0.5])), rounds, np.eye(2))


@pytest.mark.parametrize("coins", [Coins(), Coins(0.3, 3), Coins(0.6, 4, 0.8), Coins(0.5, 1, 0.9)], ids=repr)
def test_both_solvers_find_the_formulas_of_the_coins(coins):
    assert bayesian_stackelberg(repeated(coins)) == pytest.approx(bayesian_value(coins))
    assert perfect_bayesian(repeated(coins)).value == pytest.approx(perfect_bayesian_value(coins))


def test_after_one_round_of_reliable_coins_the_belief_is_certain():
    start = perfect_bayesian(repeated(Coins()))
    heads, tails = start.following
    assert start.belief.tolist() == [0.5, 0.5]
    assert (heads.belief.tolist(), tails.belief.tolist()) == ([1, 0], [0, 1])
    assert (heads.mixture.tolist(), tails.mixture.tolist()) == ([1, 0], [0, 1])


def test_beliefs_follow_bayes():
    belief = update_belief(np.array([0.2, 0.8]), np.array([0.9, 0.3]))
    assert belief == pytest.approx([0.18 / 0.42, 0.24 / 0.42])
    assert update_belief(belief, np.zeros(2)) is belief


def test_what_types_answer_depends_on_the_mixture():
    leader, follower = np.array([[2.0, 4.0], [1.0, 3.0]]), np.eye(2)
    stage = MatrixGame(np.stack([leader, leader]), np.stack([follower, follower[::-1]]), np.array([0.5, 0.5]))
    game = RepeatedGame(stage, 2, np.eye(2))
    assert bayesian_stackelberg(game) == pytest.approx(7)
    # To reveal the types costs .5 in the first round, and in the second both are worth 3.5 as before: it does not pay.
    assert perfect_bayesian(game).value == pytest.approx(7)


def test_what_is_learned_pays_for_learning_it():
    # S is safe; where types differ the leader would rather play what suits each, which it can only once it knows.
    safe, risky = [0.6, 0.6], [[1.0, 0.0], [0.0, 1.0]]
    leader = np.array([[safe, *risky]] * 2)
    follower = np.stack([np.tile(own, (3, 1)) for own in np.eye(2)])
    game = RepeatedGame(MatrixGame(leader, follower, np.array([0.5, 0.5])), 3, np.eye(2))
    assert bayesian_stackelberg(game) == pytest.approx(1.8)
    assert perfect_bayesian(game).value == pytest.approx(0.6 + 2)


@pytest.mark.parametrize("preference", [0.1, 0.6])
def test_a_type_that_looks_ahead_may_conceal_itself(preference):
    game = shy(preference)
    # A round of pretence costs the preference, and the leader then names the other type.
    assert concealment_gains(game, perfect_bayesian(game)) == pytest.approx([1 - preference] * 2)


def test_types_that_gain_nothing_by_it_do_not_conceal_themselves():
    assert concealment_gains(shy(1.5), perfect_bayesian(shy(1.5))) == pytest.approx([0, 0])
    assert concealment_gains(shy(0.1, rounds=1), perfect_bayesian(shy(0.1, rounds=1))) == pytest.approx([0, 0])
    coins = repeated(Coins(rounds=3))
    assert concealment_gains(coins, perfect_bayesian(coins)) == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RepeatedGame(Coins().stage, 0, np.eye(2)), "repeated game: rounds is 0; it must be at least 1"),
        (
            lambda: RepeatedGame(Coins().stage, 2, np.ones((2, 2))),
            "repeated game: signals must be 2 rows of probabilities that sum to 1",
        ),
        (
            lambda: perfect_bayesian(repeated(Coins(rounds=20))),
            "perfect bayesian: the game leads to 1048575 beliefs; use one of fewer rounds, at most 100000",
        ),
    ],
)
def test_games_that_cannot_be_solved_are_refused(make, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        make()
