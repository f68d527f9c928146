"""The gradient of the return after adaptation: which estimates have it as their mean."""

from dataclasses import dataclass

import pytest
import torch
from torch.func import vmap

from sparring.errors import ConfigError
from sparring.learning.meta.adaptation import AdaptedLeader, Ascent, adapt_leader
from sparring.learning.meta.directions import debiased, first_order, printed_debiased, reptile
from sparring.learning.meta.policy_gradient import GradientSettings, exact_return
from sparring.learning.meta.typed_tasks import EpisodicTask
from tests.games.exact.spring_games import STEP, noisy_pair
from tests.learning.meta.spring_tasks import NOBODY, PreparedEpisodes, exact_tasks, numbers

RULES = (debiased, first_order, printed_debiased)


@dataclass(frozen=True)
class Setting:
    """A meta-policy, the noise of its pulls, and how it adapts."""

    theta: float
    deviation: float
    episodes: int
    steps: int = 1
    carry: float = 0.0

    @property
    def games(self):
        return noisy_pair(self.deviation, steps=self.steps, carry=self.carry)

    @property
    def slope(self):
        """V', exactly."""
        at = numbers(self.theta).requires_grad_()
        values = [game.adapted_value(at, step=STEP, episodes=self.episodes) for game in self.games]
        return torch.autograd.grad(sum(values) / 2, at)[0].item()

    def estimates(self, *, draws):
        """Return the mean of each rule's estimates, and its standard error."""
        shape, seeded = (draws, 2, 2, self.episodes, self.steps, 1), torch.Generator().manual_seed(0)
        noise = torch.randn(shape, generator=seeded, dtype=torch.float64)
        drawn = vmap(self.estimate)(noise)
        return {
            rule: (each.mean().item(), (each.std() / draws**0.5).item())
            for rule, each in zip(RULES, drawn, strict=True)
        }

    def estimate(self, noise):
        """Return each rule's estimate of V', from the noise of the episodes before and after adaptation."""
        totals = [0.0 for _ in RULES]
        for game, drawn in zip(self.games, noise, strict=True):
            source = PreparedEpisodes(game, list(drawn))
            task = EpisodicTask(source, GradientSettings(self.episodes, baseline="none"))
            adapted = adapt_leader(task, numbers(self.theta), NOBODY, Ascent(STEP), None)
            reached, guess = task.leader(adapted.end, NOBODY, None), game.value(numbers(self.theta))
            totals = [
                total + rule(adapted, reached, guess).sum() / 2 for total, rule in zip(totals, RULES, strict=True)
            ]
        return tuple(totals)


FIRST = Setting(theta=0.0, deviation=0.5, episodes=8)


def test_at_the_first_setting_only_the_unbiased_estimate_is_right():
    assert pytest.approx(-0.6262, abs=1e-4) == FIRST.slope
    found = FIRST.estimates(draws=20_000)
    assert off(found[debiased], FIRST.slope) < 3
    assert off(found[first_order], FIRST.slope) > 10
    assert off(found[printed_debiased], FIRST.slope) > 10
    assert found[printed_debiased][0] < -2  # it is not even near


@pytest.mark.parametrize(
    "setting",
    [
        Setting(theta=-0.6, deviation=0.7, episodes=16),
        Setting(theta=0.4, deviation=0.6, episodes=6),
        Setting(theta=-0.2, deviation=0.6, episodes=8, steps=2),
        Setting(theta=0.1, deviation=0.5, episodes=4, steps=2, carry=0.5),
    ],
    ids=["opposite sign", "few episodes", "two steps", "two steps that depend on each other"],
)
def test_the_unbiased_estimate_is_right_elsewhere(setting):
    found = setting.estimates(draws=10_000)
    assert off(found[debiased], setting.slope) < 3
    assert off(found[printed_debiased], setting.slope) > 5


def off(found, exact):
    """Return how many standard errors an estimate is away."""
    mean, error = found
    return abs(mean - exact) / error


def test_through_several_steps_the_gradient_is_that_of_automatic_differentiation():
    payoff, at = (lambda theta: (theta.sin() * theta.roll(1)).sum() - theta.pow(4).sum()), numbers(0.3, -0.2, 0.5)

    def reached(theta):
        for _ in range(3):
            theta = theta + 0.1 * torch.func.grad(payoff)(theta)
        return theta

    path = [at]
    for _ in range(3):
        path.append(path[-1] + 0.1 * torch.func.grad(payoff)(path[-1]))
    adapted = AdaptedLeader(tuple(path), tuple(exact_return(payoff, each) for each in path[:-1]), 0.1)
    found = debiased(adapted, exact_return(payoff, path[-1]), 0.0)
    assert torch.allclose(found, torch.func.grad(lambda theta: payoff(reached(theta)))(at))


def test_the_baseline_changes_no_direction_where_nothing_is_drawn():
    task = exact_tasks(0.0)[0]
    adapted = adapt_leader(task, numbers(0.2), NOBODY, Ascent(STEP), None)
    reached = task.leader(adapted.end, NOBODY, None)
    assert all(torch.equal(rule(adapted, reached, 0.0), rule(adapted, reached, 7.0)) for rule in RULES)


def test_reptile_moves_by_what_adaptation_changed():
    adapted = adapt_leader(exact_tasks(0.0)[0], numbers(0.2), NOBODY, Ascent(STEP, steps=2), None)
    reached = exact_return(torch.sum, adapted.end)
    assert torch.allclose(reptile(adapted, reached, 0.0), numbers(0.8 * (1 - 0.8**2)))


def test_the_printed_form_is_for_one_step_only():
    adapted = adapt_leader(exact_tasks(0.0)[0], numbers(0.2), NOBODY, Ascent(STEP, steps=2), None)
    with pytest.raises(ConfigError, match="2 steps; E4 is for 1"):
        printed_debiased(adapted, exact_return(torch.sum, adapted.end), 0.0)
