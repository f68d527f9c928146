from dataclasses import replace

import pytest

from sparring.errors import ConfigError
from sparring.learning.meta.schedules import GameConstants, learning_schedule

GIVEN = GameConstants(
    leader_smoothness=2,
    cross_smoothness=1,
    answer_smoothness=4,
    tilt_smoothness=4,
    curvature=1,
    gradient=3,
    noise=1,
    diameter=2,
    gap=1,
    slope=5,
)


def test_counts_grow_as_the_theorem_says():
    coarse, fine = (learning_schedule(GIVEN, accuracy) for accuracy in (0.2, 0.02))
    assert fine.iterations / coarse.iterations == pytest.approx(100, rel=0.01)
    for kind in ("counts", "displayed"):
        assert getattr(fine, kind).episodes / getattr(coarse, kind).episodes == pytest.approx(1e4, rel=0.01)
    # Four factors of 10 in accuracy, each step a factor of 3/4.
    assert fine.counts.answers - coarse.counts.answers == pytest.approx(32.0, abs=1)
    assert fine.printed.answers - coarse.printed.answers == pytest.approx(32.0, abs=1)


def test_more_noise_takes_more_episodes_but_fewer_as_printed():
    quiet, loud = (learning_schedule(replace(GIVEN, noise=noise), 0.1) for noise in (1.0, 3.0))
    assert loud.counts.episodes / quiet.counts.episodes == pytest.approx(9, rel=0.01)
    assert loud.displayed.episodes / quiet.displayed.episodes == pytest.approx(9, rel=0.01)
    assert quiet.printed.episodes / loud.printed.episodes == pytest.approx(9, rel=0.01)


def test_a_schedule_by_hand():
    schedule = learning_schedule(GIVEN, 0.5)
    assert GIVEN.smoothness == 6
    assert GIVEN.steepness == 22
    assert (schedule.leader_step, schedule.follower_step) == (1 / 6, 1 / 4)
    assert schedule.iterations == 1291  # 4 · 22² / (6 / 4), rounded up
    # δ = 6 / 4 / (4 · 2 · 22²), and half of δ² for the noise and for the start.
    off = 1.5 / (8 * 484)
    assert schedule.counts.episodes == pytest.approx(2 / off**2, rel=1e-3)
    assert (0.75**schedule.counts.answers) * 9 <= off**2 / 2 < 0.75 ** (schedule.counts.answers - 1) * 9


def test_without_noise_one_episode_is_enough():
    assert learning_schedule(replace(GIVEN, noise=0), 0.1).counts.episodes == 1


@pytest.mark.parametrize(
    "wrong", [{"competition": 1.0}, {"curvature": 5}, {"gap": 0}, {"leader_smoothness": float("nan")}]
)
def test_what_no_game_has_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"constants.{next(iter(wrong))}"):
        replace(GIVEN, **wrong)
