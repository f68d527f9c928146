"""Gaussian dynamics on a linear system whose entropy is a formula; divergence, resume and short samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.dynamics.gaussian_model import (
    DynamicsSettings,
    DynamicsShape,
    GameSteps,
    dynamics_codec,
    fit_dynamics,
    log_likelihood,
    sample_steps,
)
from sparring.random import stream

SHAPE = DynamicsShape(2, 1, DynamicsSettings(members=3, hidden=(32, 32), lr=3e-3, batch=128))
NOISE = (0.1, 0.02, 0.5)
"""The standard deviations of both numbers of the observation and of the reward."""
ENTROPY = sum(np.log(each) + (1 + np.log(2 * np.pi)) / 2 for each in NOISE)


def linear_steps(count, *, seed=0):
    """Return steps of a linear-Gaussian system."""
    rng = stream(seed, "system")
    seen, actions = rng.standard_normal((count, 2)), rng.uniform(-1, 1, (count, 1))
    noise = rng.standard_normal((count, 3)) * NOISE
    following = seen @ [[0.9, 0.2], [-0.1, 0.8]] + actions * [0.5, -0.3] + noise[:, :2]
    rewards = seen @ [1.0, -2.0] + 0.5 * actions[:, 0] + noise[:, 2]
    return GameSteps(*(torch.from_numpy(each).float() for each in (seen, actions, rewards, following)))


@pytest.fixture(scope="module")
def fitted():
    start = SHAPE.initial(stream(0, "dynamics"))
    return fit_dynamics(start, linear_steps(4000), shape=SHAPE, updates=1500, rng=stream(0, "fit"))


def test_the_likelihood_of_new_steps_is_near_the_true_entropy(fitted):
    new = linear_steps(4000, seed=1)
    assert -log_likelihood(fitted, new, shape=SHAPE) == pytest.approx(ENTROPY, abs=0.05 * abs(ENTROPY))
    assert fitted.resets == 0


def test_drawn_steps_have_the_noise_of_the_system(fitted):
    seen, actions = torch.tensor([[0.5, -0.5]]).expand(3000, -1), torch.tensor([[0.3]]).expand(3000, -1)
    drawn = sample_steps(fitted, seen, actions, shape=SHAPE, rng=stream(2))
    wanted = torch.tensor([0.5 * 0.9 + 0.05 + 0.15, 0.5 * 0.2 - 0.4 - 0.09])
    torch.testing.assert_close(drawn.following.mean(dim=0), wanted, atol=0.05, rtol=0)
    assert drawn.rewards.mean() == pytest.approx(1.5 + 0.15, abs=0.1)
    assert drawn.rewards.std() == pytest.approx(0.5, rel=0.15)
    assert drawn.following[:, 0].std() == pytest.approx(0.1, rel=0.3)


def test_a_member_that_diverges_is_drawn_anew_and_counted():
    start = SHAPE.initial(stream(0, "dynamics"))
    broken = start._replace(weights=start.weights.clone())
    broken.weights[1] = torch.nan
    after = fit_dynamics(broken, linear_steps(200), shape=SHAPE, updates=3, rng=stream(0))
    assert after.resets == 1
    assert torch.isfinite(after.weights).all()
    wild = replace(SHAPE, settings=replace(SHAPE.settings, lr=1e30))
    lost = fit_dynamics(start, linear_steps(200), shape=wild, updates=5, rng=stream(0))
    assert lost.resets == 3
    assert np.isfinite(log_likelihood(lost, linear_steps(10), shape=SHAPE))


def test_members_learn_from_steps_of_their_own(fitted):
    inputs = torch.zeros(3, 1, 3)
    mean, _ = SHAPE.predict(fitted.weights, inputs)
    assert len({tuple(each.flatten().tolist()) for each in mean}) == 3


def test_a_fit_resumes_to_the_same_bits():
    codec, start = dynamics_codec(), SHAPE.initial(stream(0, "dynamics"))

    def fit(model, part):
        return fit_dynamics(model, linear_steps(100), shape=SHAPE, updates=4, rng=stream(part, "fit"))

    straight = fit(fit(start, 0), 1)
    resumed = fit(codec.unpack(codec.pack(fit(start, 0))), 1)
    assert torch.equal(straight.weights, resumed.weights)
    assert straight.moments.steps == resumed.moments.steps == 8


def test_steps_that_are_not_finite_are_refused():
    steps = linear_steps(5)._replace(rewards=torch.full((5,), torch.inf))
    with pytest.raises(ConfigError, match="^dynamics: a step is not finite; leave it out$"):
        fit_dynamics(SHAPE.initial(stream(0)), steps, shape=SHAPE, updates=1, rng=stream(0))


def test_numbers_that_do_not_vary_stay_finite():
    steps = linear_steps(50)
    still = steps._replace(observations=torch.ones(50, 2), following=torch.ones(50, 2))
    after = fit_dynamics(SHAPE.initial(stream(0)), still, shape=SHAPE, updates=20, rng=stream(0))
    assert after.resets == 0
    assert torch.isfinite(
        sample_steps(after, still.observations, still.actions, shape=SHAPE, rng=stream(1)).following
    ).all()
