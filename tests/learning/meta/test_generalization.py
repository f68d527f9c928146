"""The bound on games of one move, where everything can be added up: a leader's softmax against mixed followers."""

import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.meta.generalization import generalization_bound, total_variation
from tests.learning.meta.spring_tasks import numbers

STEEPEST = 2**0.5
"""The largest norm of ∇ log π of a softmax, and so, with rewards in [0, 1], of a policy gradient."""


def draw_simplex(*shape, seeded):
    mass = torch.rand(shape, generator=seeded, dtype=torch.float64).pow(3)
    return mass / mass.sum(dim=-1, keepdim=True)


def adapted_value(theta, rewards, mixed, step):
    """Return E J(θ + η ∇ log π(a) r(a, f)) over actions a and f, exactly."""
    policy = theta.softmax(dim=0)
    value = 0.0
    for action, chosen in enumerate(policy):
        score = torch.nn.functional.one_hot(torch.tensor(action), len(theta)).double() - policy
        for reply, played in enumerate(mixed):
            moved = (theta + step * score * rewards[action, reply]).softmax(dim=0)
            value += chosen * played * (moved @ rewards @ mixed)
    return float(value)


def test_the_bound_holds_in_random_games():
    seeded, shares = torch.Generator().manual_seed(0), []
    for draw in range(200):
        step = (0.0, 0.1, 1.0, 5.0)[draw % 4]
        rewards = torch.rand(3, 4, generator=seeded, dtype=torch.float64).round(decimals=draw % 2)
        theta = 2 * torch.randn(3, generator=seeded, dtype=torch.float64)
        seen, unseen = draw_simplex(1 + draw % 3, 4, seeded=seeded), draw_simplex(4, seeded=seeded)
        known = sum(adapted_value(theta, rewards, each, step) for each in seen) / len(seen)
        gap = abs(adapted_value(theta, rewards, unseen, step) - known)
        bound = generalization_bound(seen, unseen, step=step, lipschitz=STEEPEST)
        assert gap <= bound + 1e-12
        shares.append(gap / bound)
    assert max(shares) > 0.8  # it is no bound that holds by its size alone


def test_a_type_that_was_seen_alone_costs_nothing():
    mixed = numbers(0.2, 0.8)
    assert generalization_bound(mixed[None], mixed, step=1.0, lipschitz=3.0) == 0


def test_the_bound_by_hand():
    seen, unseen = torch.stack([numbers(1, 0), numbers(0, 1)]), numbers(0.5, 0.5)
    assert generalization_bound(seen, unseen, step=0.5, lipschitz=2.0) == pytest.approx(2 * 0.5 * 4 * 0.5)
    bound = generalization_bound(seen[:1], unseen, step=0.5, lipschitz=2.0, discount=0.5, steps=3)
    assert bound == pytest.approx(2.0 + 1.75 * 0.5)
    assert total_variation(numbers(1, 0), numbers(0.25, 0.75)) == pytest.approx(0.75)


def test_what_is_no_distribution_is_refused():
    with pytest.raises(ConfigError, match=r"generalization\.unseen is no distribution"):
        generalization_bound(numbers(0.5, 0.5)[None], numbers(0.5, 0.6), step=1, lipschitz=1)
    with pytest.raises(ConfigError, match=r"generalization\.seen is no distribution"):
        generalization_bound(numbers(-0.5, 1.5)[None], numbers(0.5, 0.5), step=1, lipschitz=1)
