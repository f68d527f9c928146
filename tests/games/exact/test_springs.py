from dataclasses import replace

import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact.springs import NoisySpring, Spring, Springs
from tests.games.exact.spring_games import STEP, noisy_pair, pair


def number(value):
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize(
    ("coupling", "bayesian", "meta", "first_order"),
    [(0.0, -0.6, 0.6, 0.0), (1.0, -0.428571, 0.324324, 0.0)],
)
def test_four_notions_of_a_solution_are_different_points(coupling, bayesian, meta, first_order):
    game = pair(coupling)
    assert game.bayesian() == pytest.approx(bayesian, abs=1e-6)
    assert game.meta(STEP) == pytest.approx(meta, abs=1e-6)
    assert game.first_order(STEP) == pytest.approx(first_order, abs=1e-6)


def test_reptile_leaves_the_bayesian_solution_as_its_steps_grow():
    ends = [pair(0.0).reptile(STEP, steps) for steps in (1, 2, 10)]
    assert ends == pytest.approx([-0.6, -0.454545, -0.056733], abs=1e-6)
    assert pair(1.0).reptile(STEP, 1) == pytest.approx(pair(1.0).bayesian())


def test_the_meta_solution_is_the_best_after_adaptation_and_only_then():
    game = pair(0.0)
    values = [game.value(number(theta), STEP) for theta in (0.6, 0.0, -0.6)]
    assert values == pytest.approx([-0.128, -0.2, -0.416])
    assert game.value(number(-0.6), 0.0) == pytest.approx(-0.8)


@pytest.mark.parametrize("coupling", [0.0, 1.0, 0.4])
def test_solutions_maximize_the_value_of_followers_that_answer(coupling):
    game, grid = pair(coupling), torch.linspace(-1, 1, 801, dtype=torch.float64)
    for step, expected in ((0.0, game.bayesian()), (STEP, game.meta(STEP))):
        best = max(grid.tolist(), key=lambda theta: game.value(number(theta), step))
        assert best == pytest.approx(expected, abs=2e-3)


def test_an_answer_is_the_best_one():
    spring, theta = Spring(stiffness=2, rest=0.5, coupling=0.7, curvature=3), number(0.8)
    answered = spring.follower(theta, spring.answer(theta))
    assert all(spring.follower(theta, spring.answer(theta) + shift) < answered for shift in (-0.1, 0.1))
    assert spring.leader(theta, spring.answer(theta)) == pytest.approx(-(0.3**2) - 0.7**2 / 3 / 2 * 0.8**2)


def test_the_value_after_a_noisy_step_has_a_closed_form():
    for theta, deviation, episodes in ((0.0, 0.5, 8), (-0.6, 0.7, 16), (0.4, 0.3, 4)):
        at = number(theta).requires_grad_()
        exact = sum(each.adapted_value(at, step=STEP, episodes=episodes) / 2 for each in noisy_pair(deviation))
        (slope,) = torch.autograd.grad(exact, at)
        value, expected = closed_form(theta, deviation, episodes)
        assert (exact.item(), slope.item()) == pytest.approx((value, expected))


def closed_form(theta, deviation, episodes):
    """Return V and V' of one step, as worked out by hand."""
    value = slope = 0.0
    for spring in pair(0.0).types:
        kept, moved = (1 - STEP * spring.stiffness) ** 2, (STEP * spring.stiffness) ** 2 / (4 * deviation**2 * episodes)
        off, var = theta - spring.rest, deviation**2
        value -= spring.stiffness / 4 * (kept * off**2 + moved * (off**4 + 14 * off**2 * var + 15 * var**2) + var)
        slope -= spring.stiffness / 4 * (2 * kept * off + moved * (4 * off**3 + 28 * off * var))
    return value, slope


def test_the_expected_return_of_several_steps_is_that_of_many_episodes():
    game = NoisySpring(spring=pair(0.0).types[1], deviation=0.5, steps=3, carry=0.8)
    noise = torch.randn(200_000, 3, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    returns = game.rewards(0.3 + 0.5 * noise)[0].sum(dim=1)
    assert abs(returns.mean() - game.value(number(0.3))) < 4 * returns.std() / len(returns) ** 0.5


def test_a_pull_is_carried_over_and_players_oppose_each_other():
    game = NoisySpring(spring=Spring(stiffness=2, rest=1, coupling=3), deviation=1, steps=2, carry=0.5)
    leader, follower = game.rewards(torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[0.0], [1.0]]]))
    assert leader.tolist() == [[0.0, 3 * 2.5 + 0.5 - 1.5**2]]
    assert torch.equal(follower, -leader)


def test_what_has_no_solution_is_refused():
    with pytest.raises(ConfigError, match=r"spring\.stiffness is 0"):
        Spring(stiffness=0, rest=1)
    with pytest.raises(ConfigError, match=r"springs\.types is 0"):
        Springs(())
    noisy = noisy_pair(0.5)[0]
    with pytest.raises(ConfigError, match="known for 0 only"):
        replace(noisy, spring=replace(noisy.spring, coupling=1.0)).adapted_value(number(0.0), step=STEP, episodes=1)
