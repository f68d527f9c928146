import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from sparring.errors import ConfigError
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.random import stream
from tests.learning.meta.spring_tasks import numbers

POLICY = GaussianPolicy((3, 5, 2), deviation=0.4)
WEIGHTS = torch.from_numpy(stream(0, "weights").standard_normal(POLICY.size))
SEEN = torch.from_numpy(stream(0, "seen").standard_normal((6, 3)))


def test_the_density_is_that_of_a_normal_distribution():
    actions = POLICY.draw(WEIGHTS, SEEN, stream(0, "noise"))
    expected = Independent(Normal(POLICY.mean(WEIGHTS, SEEN), 0.4), 1).log_prob(actions)
    assert torch.allclose(POLICY.log_density(WEIGHTS, SEEN, actions), expected)


def test_draws_spread_around_the_mean():
    seen = SEEN[:1].expand(4000, 3)
    drawn = POLICY.draw(WEIGHTS, seen, stream(0, "noise"))
    assert torch.allclose(drawn.mean(dim=0), POLICY.mean(WEIGHTS, SEEN[0]), atol=0.03)
    assert torch.allclose(drawn.std(dim=0), torch.full((2,), 0.4, dtype=torch.float64), atol=0.02)


def test_the_network_answers_with_the_mean_within_its_range():
    network, observation = POLICY.network(WEIGHTS), SEEN[0].numpy().astype(np.float32)
    assert np.allclose(network.act(observation), POLICY.mean(WEIGHTS, SEEN[0]).clamp(-1, 1), atol=1e-5)
    assert np.abs(POLICY.network(100 * WEIGHTS).act(observation)).max() == 1


def test_a_policy_that_sees_nothing_is_its_mean():
    blind = GaussianPolicy((0, 2))
    assert blind.size == 2
    assert blind.mean(numbers(0.3, -0.1), torch.zeros(4, 0)).tolist() == [[0.3, -0.1]] * 4


def test_first_actions_are_near_the_middle():
    policy = GaussianPolicy((50, 20, 2))
    means = policy.mean(policy.initial(stream(0, "policy")), torch.randn(100, 50))
    assert 0 < means.abs().max() < 0.1


def test_what_draws_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"gaussian_policy\.deviation is 0"):
        GaussianPolicy((1, 1), deviation=0)
    with pytest.raises(ConfigError, match="gaussian_policy"):
        GaussianPolicy((1,))
