from math import exp, inf, log, sqrt

import numpy as np
import pytest
import torch
from scipy.stats import norm

from sparring.defenses.post_training.certificate import backdoor_radius, contraction, gaussian_radius, vote_bounds
from sparring.errors import ConfigError
from sparring.random import stream


def test_bounds_lie_hoeffdings_distance_from_the_shares():
    lower, upper = vote_bounds(torch.tensor([[100, 800, 100]]), alpha=0.006)
    slack = sqrt(log(1000) / 2000)
    assert lower.item() == pytest.approx(0.8 - slack)
    assert upper.item() == pytest.approx(0.1 + slack)


def test_few_votes_prove_nothing():
    lower, upper = vote_bounds(torch.tensor([[3, 0]]))
    assert (lower.item(), upper.item()) == (0.0, 1.0)


def test_the_bounds_hold_as_often_as_they_promise():
    truth = np.array([0.5, 0.3, 0.2])
    votes = torch.from_numpy(stream(0, "votes").multinomial(200, truth, size=2000))
    lower, upper = vote_bounds(votes, alpha=0.1)
    winner = torch.from_numpy(truth)[votes.argmax(dim=1)]
    rest = torch.from_numpy(truth)[votes.argsort(dim=1)[:, :2]].amax(dim=1)
    assert ((lower <= winner) & (upper >= rest)).double().mean() >= 0.9


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_a_chance_of_error_that_is_none_is_refused(alpha):
    with pytest.raises(ConfigError, match=f"^certificate: alpha={alpha}; use alpha above 0 and below 1$"):
        vote_bounds(torch.ones(1, 2), alpha)


def test_the_radius_is_half_the_distance_of_the_quantiles():
    lower, upper = torch.tensor([norm.cdf(1.5)]), torch.tensor([norm.cdf(-0.5)])
    assert gaussian_radius(lower, upper, noise=0.1).item() == pytest.approx(0.1)


def test_where_the_runner_up_may_win_the_radius_is_zero():
    radii = gaussian_radius(torch.tensor([0.5, 0.4, 0.0]), torch.tensor([0.5, 0.6, 1.0]), noise=1.0)
    assert radii.tolist() == [0.0, 0.0, 0.0]


def test_a_linear_classifier_changes_its_vote_just_beyond_the_radius():
    # x + noise > 0 has the probability Φ(x / σ): the vote turns where x falls below 0.
    place, noise = 0.7, 0.5
    chance = torch.tensor([norm.cdf(place / noise)])
    assert gaussian_radius(chance, 1 - chance, noise=noise).item() == pytest.approx(place)


def test_a_difference_contracts_in_every_round_that_follows():
    assert contraction([0.02, 0.01], noise=0.01) == pytest.approx((2 * norm.cdf(2) - 1) * (2 * norm.cdf(1) - 1))
    assert contraction([], noise=0.01) == 1.0


def radius(lower, upper, **changes):
    settings = {"noise": 0.01, "reach": [0.5], "smoothness": 2.0, **changes}
    return backdoor_radius(torch.tensor([lower]), torch.tensor([upper]), **settings).item()


def test_the_radius_of_a_trigger_is_that_of_the_theorem():
    # With p_A = 1 - 1/e and p_B = 0, -log(1 - p_A) is 1: √(0.01² / (2 · 1 · 4 · 0.25)).
    assert radius(1 - exp(-1), 0.0) == pytest.approx(0.01 / sqrt(2))


def test_two_attackers_reach_further_than_one():
    assert radius(0.9, 0.1, reach=[0.5, 0.5]) == pytest.approx(radius(0.9, 0.1) / 2)


def test_what_later_rounds_leave_of_a_trigger_counts():
    assert radius(0.9, 0.1, left=0.25) == pytest.approx(2 * radius(0.9, 0.1))
    assert radius(0.9, 0.1, left=0.0) == inf


def test_where_the_runner_up_may_win_no_trigger_is_safe():
    assert radius(0.4, 0.6) == 0.0
