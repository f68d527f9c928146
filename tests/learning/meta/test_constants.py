import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact.springs import Spring
from sparring.learning.meta.adaptation import Ascent
from sparring.learning.meta.constants import measure_constants
from sparring.learning.meta.residual import meta_residual
from sparring.learning.meta.schedules import learning_schedule
from sparring.learning.meta.typed_tasks import ExactTask
from sparring.learning.stackelberg import MetaStackelberg
from sparring.random import stream
from tests.games.exact.spring_games import STEP
from tests.learning.meta.spring_tasks import NOBODY, exact_tasks, numbers

ONE_STEP, ANSWER = Ascent(STEP), Ascent(0.9, steps=2)
LEADERS, FOLLOWERS = numbers(-1.0, 0.3, 0.32, 1.0)[:, None], numbers(1.0, 0.2, -0.4, -1.0)[:, None]


def test_constants_of_springs_are_known():
    found = measure_constants(exact_tasks(1.0), LEADERS, FOLLOWERS, ascent=ONE_STEP, answer=ANSWER, noise=2.0)
    # (1 - ηa)² a and (1 - ηa)² ρ of both types; the follower sees θ' move by 1 - ηa.
    assert found.leader_smoothness == pytest.approx(0.64)
    assert found.cross_smoothness == pytest.approx(0.8)
    assert (found.answer_smoothness, found.tilt_smoothness, found.curvature) == pytest.approx((1, 1, 1))
    assert (found.diameter, found.noise) == (2.0, 2.0)
    assert 0 < found.gap < 2
    assert found.smoothness == pytest.approx(0.64 + 0.8)


def test_the_schedule_finds_an_equilibrium_in_time():
    types = [Spring(stiffness=1, rest=1, coupling=0.7), Spring(stiffness=3, rest=-1, coupling=0.7, curvature=1.6)]
    tasks = [ExactTask(each.leader, each.follower) for each in types]
    given = measure_constants(tasks, LEADERS, FOLLOWERS, ascent=ONE_STEP, answer=ANSWER)
    schedule = learning_schedule(given, accuracy := 0.01)
    learner = MetaStackelberg(
        rate=schedule.leader_step,
        adaptation=ONE_STEP,
        answer=Ascent(schedule.follower_step, steps=schedule.counts.answers),
    )
    state, taken, residuals = learner.initial(tasks, LEADERS[0], [numbers(1.0)] * 2), 0, [1.0]
    while residuals[-1] > accuracy and taken < min(schedule.iterations, 40):
        state, taken = learner.improve(state, tasks, steps=1, seed=0), taken + 1
        found = meta_residual(tasks, state.leader, state.followers, ascent=ONE_STEP, rng=stream(0, "look"))
        residuals.append(max(found.leader, found.followers))
    assert residuals[-1] <= accuracy
    assert 1 < taken < schedule.iterations


def test_a_follower_that_does_not_adapt_has_no_constants():
    with pytest.raises(ConfigError, match="does not adapt"):
        measure_constants(exact_tasks(0.0), LEADERS, torch.stack([NOBODY] * 4), ascent=ONE_STEP, answer=ANSWER)
