"""The critic of two samples: known distances are recovered."""

import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.dynamics.critic import CriticSettings, critic_gap, slope_penalty, wasserstein_critic
from sparring.random import stream

HOW = CriticSettings(hidden=(32, 32), updates=2000, batch=256)


def normal(rows, features, *, mean=0.0, seed=0):
    return torch.from_numpy(mean + stream(seed, "sample").standard_normal((rows, features))).float()


@pytest.mark.parametrize("seed", range(3))
def test_two_gaussians_one_apart_have_distance_one(seed):
    first, second = normal(4000, 1, mean=1.0), normal(4000, 1, seed=1)
    critic = wasserstein_critic(first, second, rng=stream(seed, "critic"), how=HOW)
    held_out = normal(4000, 1, mean=1.0, seed=2), normal(4000, 1, seed=3)
    assert critic_gap(critic, *held_out).item() == pytest.approx(1.0, abs=0.1)


def test_a_distance_along_a_diagonal_is_euclidean():
    shift = torch.tensor([0.6, -0.8])
    first, second = normal(4000, 2) + shift, normal(4000, 2, seed=1)
    critic = wasserstein_critic(first, second, rng=stream(0, "critic"), how=HOW)
    assert critic_gap(critic, first, second).item() == pytest.approx(1.0, abs=0.12)


def test_equal_samples_have_no_distance():
    first, second = normal(4000, 1), normal(4000, 1, seed=1)
    critic = wasserstein_critic(first, second, rng=stream(0, "critic"), how=HOW)
    assert abs(critic_gap(critic, normal(4000, 1, seed=2), normal(4000, 1, seed=3)).item()) < 0.1


def test_the_penalty_is_zero_where_the_slope_is_one():
    line = ((torch.tensor([[0.6, 0.8]]), torch.zeros(1)),)
    assert slope_penalty(line, normal(20, 2)).item() == pytest.approx(0, abs=1e-10)
    steep = ((torch.tensor([[3.0, 4.0]]), torch.zeros(1)),)
    assert slope_penalty(steep, normal(20, 2)).item() == pytest.approx(16, rel=1e-5)


def test_samples_that_cannot_be_compared_are_refused():
    with pytest.raises(
        ConfigError, match=r"^critic: samples of shapes .*; both must be \[rows, features\], with rows$"
    ):
        wasserstein_critic(normal(5, 2), normal(5, 3), rng=stream(0))
