import numpy as np
import pytest

from sparring.errors import ConfigError
from sparring.learning.training_env import LearningTask, make_vec_env
from tests.games.small_games import Still, Tracking
from tests.learning.sb3.lessons import arena

PAIR = Tracking(names=("left", "right"))


def test_environments_play_games_of_their_own():
    seen = make_vec_env(arena(environments=3), seed=0).reset()
    assert len(np.unique(seen)) == 3


def test_an_environment_does_not_depend_on_how_many_there_are():
    one, three = (make_vec_env(arena(environments=count), seed=0).reset() for count in (1, 3))
    np.testing.assert_array_equal(one[0], three[0])


def test_a_seat_learns_against_the_others():
    assert LearningTask(PAIR, "left", {"right": Still()}).space == PAIR.seats["left"]
    with pytest.raises(ConfigError, match="all but one need a policy"):
        LearningTask(PAIR, "left")


def test_somebody_must_play():
    with pytest.raises(ConfigError, match="arena.environments is 0; it must be at least 1"):
        arena(environments=0)
