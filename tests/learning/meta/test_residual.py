import pytest

from sparring.learning.meta.adaptation import Ascent
from sparring.learning.meta.residual import meta_residual
from sparring.random import stream
from tests.games.exact.spring_games import STEP, pair
from tests.learning.meta.spring_tasks import exact_tasks, noisy_tasks, numbers


def residual(tasks, theta, followers, **options):
    return meta_residual(tasks, theta, followers, ascent=Ascent(STEP), rng=stream(0, "look"), **options)


@pytest.mark.parametrize("coupling", [0.0, 1.0])
def test_at_the_equilibrium_only_the_expectation_vanishes(coupling):
    game, theta = pair(coupling), numbers(pair(coupling).meta(STEP))
    answers = [each.answer(each.adapted(theta, STEP)) for each in game.types]
    found = residual(exact_tasks(coupling), theta, answers)
    assert found.leader < 1e-6
    assert found.followers < 1e-6
    one, other = (each.item() for each in found.by_type)
    assert one == pytest.approx(-other)
    assert abs(one) > 0.1
    if not coupling:
        assert one == pytest.approx(0.256)


def test_elsewhere_it_is_the_worse_follower_and_the_mean_of_the_types():
    game, theta = pair(1.0), numbers(pair(1.0).bayesian())
    answers = [each.answer(each.adapted(theta, STEP)) + off for each, off in zip(game.types, (0.1, -0.3), strict=True)]
    found = residual(exact_tasks(1.0), theta, answers)
    assert found.leader > 0.1
    # The adaptation sees the follower that is off: θ' moves by ηρ times that.
    assert found.followers == pytest.approx(0.3 * (1 + STEP))
    assert found.leader == pytest.approx(abs(sum(each.item() for each in found.by_type)) / 2)


def test_an_estimate_from_episodes_agrees():
    tasks, theta = noisy_tasks(1.0, 0.4, episodes=200), numbers(0.2)
    followers = [numbers(0.5), numbers(0.1)]
    exact, estimated = (
        meta_residual(each, theta, followers, ascent=Ascent(steps=0), rng=stream(0, "look"), batches=10)
        for each in (exact_tasks(1.0), tasks)
    )
    assert estimated.leader == pytest.approx(exact.leader, abs=0.15)
    assert estimated.followers == pytest.approx(exact.followers, abs=0.15)
    assert exact.followers == pytest.approx(0.7)
