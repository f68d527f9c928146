"""The exact team game: its formulas against play, against brute force, and against each other."""

import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.games.exact.team import REACH, SEAT, QuadraticTeam, TeamState, best_ranks
from sparring.random import stream

GAMES = {
    "one step": QuadraticTeam(),
    "two steps": QuadraticTeam(steps=2),
    "three steps, changing members": QuadraticTeam(members=7, present=(2, 4, 7), steps=3),
}


def mean_return(game, play, *, episodes=4000):
    """Return the mean and its standard error."""
    found = []
    for episode in range(episodes):
        rng = stream(0, "episode", episode)
        state, total = game.initial(rng), 0.0
        while not game.is_over(state):
            after = game.transition(state, {SEAT: play(state, rng)}, rng=rng)
            total, state = total + game.reward(state, after, seat=SEAT), after
        found.append(total)
    return np.mean(found), np.std(found) / episodes**0.5


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
class TestEveryGame:
    def test_the_best_policy_gets_the_best_return(self, game):
        mean, error = mean_return(game, lambda state, rng: game.best_actions(state))
        assert mean == pytest.approx(game.best_return, abs=4 * error)

    def test_without_ranks_the_best_common_action_gets_its_return(self, game):
        def play(state, rng):
            return np.full(game.members, game._best_mean(state))

        mean, error = mean_return(game, play)
        assert mean == pytest.approx(game.best_return_without_ranks, abs=4 * error)

    def test_uniform_actions_get_the_random_return(self, game):
        mean, error = mean_return(game, lambda state, rng: rng.uniform(-1, 1, game.members))
        assert mean == pytest.approx(game.random_return, abs=4 * error)

    def test_no_change_of_the_best_actions_gains(self, game):
        def deviate(by):
            return lambda state, rng: game.best_actions(state) + by * rng.choice([-1, 1], game.members)

        best, _ = mean_return(game, deviate(0.0), episodes=400)
        assert all(mean_return(game, deviate(by), episodes=400)[0] < best for by in (0.05, 0.2))

    def test_actions_of_absent_ranks_change_nothing(self, game):
        state = TeamState(0, 0.3, game.present[0], 0.0)
        actions = stream(0, "actions").uniform(-1, 1, game.members)
        others = actions.copy()
        others[state.present :] = 0.7
        one, other = (game.transition(state, {SEAT: each}, rng=stream(0, "x")) for each in (actions, others))
        assert one == other

    def test_a_state_survives_storage(self, game):
        state = game.transition(game.initial(stream(1)), {SEAT: np.ones(game.members)}, rng=stream(2))
        assert game.codec.unpack(game.codec.pack(state)) == state

    def test_observations_lie_in_the_box(self, game):
        rng = stream(0)
        state = game.initial(rng)
        while not game.is_over(state):
            assert np.abs(game.observe(state, SEAT)).max() <= 1
            state = game.transition(state, {SEAT: np.ones(game.members)}, rng=rng)


def test_the_numbers_of_one_and_two_steps():
    one, two = GAMES["one step"], GAMES["two steps"]
    assert one.best_return == pytest.approx(-1 / 24)
    assert one.best_return_without_ranks == pytest.approx(-1 / 24 - 6 / 48)
    assert two.best_return == pytest.approx(-0.6 * REACH**2 / 3)
    state = TeamState(0, 0.5, 5, 0.0)
    assert two._best_mean(state) == pytest.approx(-0.3)
    assert two._best_mean(state._replace(step=1)) == pytest.approx(-0.25)
    np.testing.assert_allclose(best_ranks(5), [0.5, 0.25, 0, -0.25, -0.5])


@pytest.mark.parametrize("options", [{"present": ()}, {"present": (1,)}, {"present": (6,)}])
def test_numbers_of_members_without_a_meaning_are_refused(options):
    with pytest.raises(ConfigError, match=r"^team\.present is .*; give numbers from 2 to 5$"):
        QuadraticTeam(**options)
