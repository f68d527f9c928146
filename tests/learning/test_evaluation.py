import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.training_env import LearningTask
from tests.games.small_games import Endless, Still, Tracking


class Mirror:
    """Answers what is best: what it sees, turned around."""

    def act(self, observation):
        return -observation


def test_the_best_policy_gains_the_most():
    arena = LearningTask(Tracking(), "player")
    assert evaluate_policy(arena, Mirror(), episodes=3, seed=0) == pytest.approx(0, abs=1e-6)
    assert evaluate_policy(arena, Still(), episodes=3, seed=0) < -0.1


def test_it_is_the_mean_over_episodes_that_are_the_same_for_all():
    arena = LearningTask(Tracking(), "player")
    alone = [evaluate_policy(arena, Still(), episodes=episodes, seed=4) for episodes in (1, 2)]
    assert evaluate_policy(arena, Still(), episodes=2, seed=4) == alone[1]
    assert alone[0] != alone[1] != evaluate_policy(arena, Still(), episodes=2, seed=5)


def test_opponents_play_along():
    class Pushed:
        def act(self, observation):
            return np.ones_like(observation)

    both = Tracking(names=("player", "other"))
    arena = LearningTask(both, "player", {"other": Pushed()})
    assert evaluate_policy(arena, Mirror(), episodes=1, seed=0) == pytest.approx(0, abs=1e-6)


def test_an_episode_ends_at_the_horizon():
    returns = [
        evaluate_policy(LearningTask(game, "player"), Still(), episodes=2, seed=4) for game in (Tracking(), Endless())
    ]
    assert returns[0] == returns[1]


def test_no_episodes_are_refused():
    with pytest.raises(ConfigError, match=r"^episodes is 0; it must be at least 1$"):
        evaluate_policy(LearningTask(Tracking(), "player"), Still(), episodes=0, seed=0)
