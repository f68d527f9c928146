import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.matrix import (
    MatrixGame,
    nash_values,
    pessimistic_stackelberg,
    pure_commitment,
    strong_stackelberg,
    value,
)

LEADER = [[2.0, 4.0], [1.0, 3.0]]


def game(leader, *followers, prior=None):
    """Return a game of types that differ in the followers' payoffs."""
    types = len(followers)
    shares = np.full(types, 1 / types) if prior is None else np.array(prior)
    return MatrixGame(np.array([leader] * types, dtype=float), np.array(followers, dtype=float), shares)


def follower(up=1.0, down=1.0):
    """Return the payoffs of a type that answers U with L, and D with R."""
    return [[up, 0.0], [0.0, down]]


def exchanged(up=1.0, down=1.0):
    return [[0.0, up], [down, 0.0]]


def on_a_grid(of, steps=500, **ties):
    """Return the leader's largest value on a grid of mixtures of two rows."""
    return max(value(of, np.array([share, 1 - share]), **ties) for share in np.linspace(0, 1, steps + 1))


def test_to_commit_is_worth_more_than_to_play_nash_and_to_mix_more_than_a_row():
    standard = game(LEADER, follower())
    assert nash_values(standard) == pytest.approx((2, 2))
    assert pure_commitment(standard).value == 3
    best = strong_stackelberg(standard)
    assert best.value == pytest.approx(3.5)
    assert best.mixture == pytest.approx([0.5, 0.5])
    assert best.answers == ((1,),)


@pytest.mark.parametrize(("up", "down"), [(1.0, 3.0), (2.0, 0.5), (0.1, 0.1)])
def test_other_followers_are_kept_indifferent_at_other_mixtures(up, down):
    best = strong_stackelberg(game(LEADER, follower(up, down)))
    share = down / (up + down)
    assert best.mixture == pytest.approx([share, 1 - share])
    assert best.value == pytest.approx(3 + share)


def test_of_one_type_the_pessimistic_value_is_approached_and_not_attained():
    limit = pessimistic_stackelberg(game(LEADER, follower()))
    assert limit.value == pytest.approx(3.5)
    assert value(game(LEADER, follower()), np.array([0.499, 0.501]), pessimistic=True) == pytest.approx(3.499)
    assert value(game(LEADER, follower()), np.array([0.5, 0.5]), pessimistic=True) == pytest.approx(1.5)


def test_two_types_that_are_indifferent_at_once_are_worth_less_to_a_pessimist():
    both = game(LEADER, follower(), exchanged())
    assert strong_stackelberg(both).value == pytest.approx(3.5)
    worst = pessimistic_stackelberg(both)
    assert worst.value == pytest.approx(3)
    assert worst.mixture == pytest.approx([1, 0])
    assert pure_commitment(both, pessimistic=True).value == 3


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_the_pessimistic_value_depends_on_the_prior(share):
    # U is worth 2 to the first type and 4 to the second; just below one half the first answers R, the second L.
    worst = pessimistic_stackelberg(game(LEADER, follower(), exchanged(), prior=(share, 1 - share)))
    assert worst.value == pytest.approx(max(2 * share + 4 * (1 - share), 3.5 * share + 1.5 * (1 - share)))


@pytest.mark.parametrize("seed", range(4))
def test_linear_programs_agree_with_a_search_over_mixtures(seed):
    rng = np.random.default_rng(seed)
    random = MatrixGame(rng.uniform(size=(2, 2, 3)), rng.uniform(size=(2, 2, 3)), rng.dirichlet(np.ones(2)))
    for solve, ties in ((strong_stackelberg, {}), (pessimistic_stackelberg, {"pessimistic": True})):
        assert solve(random).value == pytest.approx(on_a_grid(random, **ties), abs=8e-3)
        assert solve(random).value >= on_a_grid(random, **ties) - 1e-9
    best = strong_stackelberg(random)
    assert value(random, best.mixture) == pytest.approx(best.value)


def test_one_value_of_several_equilibria_is_best_and_one_is_worst():
    coordination = game([[2.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]])
    # The mixed equilibrium, a third of U and of L, is worth two thirds.
    assert nash_values(coordination) == pytest.approx((2, 2 / 3))


def test_types_play_a_bayesian_equilibrium():
    # U dominates D, so the first type answers L and the second R.
    assert nash_values(game(LEADER, follower(), exchanged(), prior=(0.25, 0.75))) == pytest.approx((3.5, 3.5))


def test_types_of_rock_paper_scissors_are_answered_alike():
    # Types whose wins count double, or losses half, are not strictly competitive; the leader mixes the same.
    leader = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    types = [np.where(leader < 0, win, np.where(leader > 0, -loss, 0.0)) for win, loss in ((1, 1), (2, 1), (1, 0.5))]
    best = strong_stackelberg(game(leader, *types))
    assert best.value == pytest.approx(0)
    assert best.mixture == pytest.approx(np.full(3, 1 / 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MatrixGame(np.zeros((2, 2)), np.zeros((2, 2)), np.ones(1)),
            r"the payoffs are \[2, 2\] and \[2, 2\]; both must be \[types, rows, columns\]",
        ),
        (lambda: game(LEADER, follower(), prior=(0.5,)), r"the prior is \[0.5\]; it must be 1 shares that sum to 1"),
        (
            lambda: strong_stackelberg(game(np.zeros((1, 50)), *[np.zeros((1, 50))] * 3)),
            "the types have 125000 profiles of answers; use a game with at most 100000",
        ),
    ],
)
def test_games_that_cannot_be_solved_are_refused(make, message):
    with pytest.raises(ConfigError, match=f"^matrix game: {message}$"):
        make()
