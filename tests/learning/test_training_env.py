import os

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError, RunError
from sparring.learning.training_env import LearningTask, make_vec_env
from tests.games.small_games import Still, Tracking
from tests.learning.sb3.lessons import arena

PAIR = Tracking(names=("left", "right"))


def test_environments_play_games_of_their_own():
    with make_vec_env(arena(environments=3), seed=0) as environments:
        seen = environments.reset()
    assert len(np.unique(seen)) == 3


def test_an_environment_does_not_depend_on_how_many_there_are():
    with make_vec_env(arena(environments=1), seed=0) as one, make_vec_env(arena(environments=3), seed=0) as three:
        np.testing.assert_array_equal(one.reset()[0], three.reset()[0])


def test_a_seat_learns_against_the_others():
    assert LearningTask(PAIR, "left", {"right": Still()}).space == PAIR.seats["left"]
    with pytest.raises(ConfigError, match="all but one need a policy"):
        LearningTask(PAIR, "left")


def test_somebody_must_play():
    with pytest.raises(ConfigError, match="arena.environments is 0; it must be at least 1"):
        arena(environments=0)


class Frail(Tracking):
    """Shows how many threads there are, as a share of 8, and takes its process with it when it is over."""

    def observe(self, state, seat):
        return np.array([torch.get_num_threads() / 8], dtype=np.float32)

    def is_over(self, state):
        os._exit(3)


def play(arena):
    """Look at the first game's first state, and move."""
    with make_vec_env(arena, seed=0) as environments:
        assert environments.reset() == pytest.approx(3 / 8)
        environments.step(np.zeros((1, 1), dtype=np.float32))


def test_a_process_has_the_threads_of_its_parent_and_ends_the_training_when_it_is_lost(threads):
    threads(3)
    with pytest.raises(RunError, match="a process that plays a game ended early"):
        play(LearningTask(Frail(), "player", processes=True))
