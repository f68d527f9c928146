import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sparring.errors import ConfigError
from sparring.games.exact.springs import NoisySpring, Spring
from sparring.learning.meta.episodes import BlindEpisodes, Episodes
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.learning.meta.policy_gradient import (
    GradientSettings,
    estimate_return,
    gradient,
    hessian_product,
    others_mean,
    rewards_to_go,
)
from sparring.random import stream
from tests.learning.meta.spring_tasks import numbers

GAME = NoisySpring(spring=Spring(stiffness=2, rest=0.5), deviation=0.4, steps=2, carry=0.5)
PULLS = GaussianPolicy((0, 1), 0.4)


def estimates(settings, *, draws):
    """Return the estimates of the slope of the expected return at θ = 0.1."""
    at, rng, source = numbers(0.1), stream(0, "episodes"), BlindEpisodes(GAME, (PULLS,))
    found = []
    for _ in range(draws):
        (episodes,) = source.sample([at], episodes=settings.episodes, rng=rng)
        found.append(gradient(estimate_return(PULLS, episodes, settings).mean, at))
    return torch.cat(found)


def test_the_baseline_leaves_the_mean_and_lowers_the_variance():
    at = numbers(0.1).requires_grad_()
    (exact,) = torch.autograd.grad(GAME.value(at), at)
    plain, compared = (
        estimates(GradientSettings(episodes=16, baseline=name), draws=400) for name in ("none", "others")
    )
    for found in (plain, compared):
        assert abs(found.mean() - exact) < 3 * found.std() / 20
    assert compared.std() < 0.8 * plain.std()


def test_a_discount_weights_rewards_by_their_step():
    rewards, actions = numbers(1.0, 2.0, 4.0)[None], numbers(0.5, -0.2, 0.1)[None, :, None]
    episodes = Episodes(torch.zeros(1, 3, 0), actions, rewards, torch.ones(1, 3))
    found = estimate_return(PULLS, episodes, GradientSettings(1, discount=0.5, baseline="none"))
    assert found.value == 1 + 1 + 1
    scores = (actions.squeeze() - 0.1) / 0.4**2
    assert torch.allclose(gradient(found.mean, numbers(0.1)), (scores * numbers(3, 2, 1)).sum())


def test_steps_that_were_not_played_do_not_count():
    actions, rewards, played = numbers(1.0, 0.0)[None, :, None], numbers(3.0, 0.0)[None], numbers(1, 0)[None]
    found = estimate_return(
        PULLS, Episodes(torch.zeros(1, 2, 0), actions, rewards, played), GradientSettings(1, baseline="none")
    )
    assert torch.allclose(gradient(found.mean, numbers(0.2)), numbers(3 * 0.8 / 0.4**2))
    alone = PULLS.log_density(numbers(0.2), torch.zeros(1, 0), numbers(1.0)[:, None])
    assert found.log_likelihoods is not None
    assert torch.allclose(found.log_likelihoods(numbers(0.2)), alone)


def test_rewards_to_go_and_the_mean_of_the_others():
    assert rewards_to_go(numbers(1, 2, 4)[None], 0.5).tolist() == [[3, 4, 4]]
    assert others_mean(numbers(1, 2, 6)).tolist() == [4, 3.5, 1.5]
    with pytest.raises(ConfigError, match=r"gradient\.episodes is 1; use at least 2"):
        GradientSettings(episodes=1)


def small_batch(policy, episodes, *, steps=3):
    rng, widths = stream(1, "batch"), (policy.widths[0], policy.widths[-1], 1)
    seen, acts, gains = (torch.from_numpy(rng.standard_normal((episodes, steps, width))) for width in widths)
    return Episodes(seen, acts, gains.squeeze(-1), torch.ones(episodes, steps))


def test_hessian_products_equal_finite_differences():
    policy, shift = GaussianPolicy((4, 6, 5, 2), 0.5), 1e-5
    found = estimate_return(policy, small_batch(policy, 8), GradientSettings(8))
    weights, vector = (torch.from_numpy(stream(2, name).standard_normal(policy.size)) for name in ("w", "v"))
    ahead, behind = (gradient(found.mean, weights + sign * shift * vector) for sign in (1, -1))
    product = hessian_product(found.mean, weights, vector)
    assert torch.allclose(product, (ahead - behind) / (2 * shift), rtol=1e-5, atol=1e-6)


class LargestTensor(TorchDispatchMode):
    """Measures the largest tensor that is computed."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        self.numbers = max([self.numbers, *sizes])
        return out


def test_no_hessian_is_stored():
    policy = GaussianPolicy((200, 250, 2))
    assert policy.size > 50_000
    found = estimate_return(policy, small_batch(policy, 4), GradientSettings(4))
    weights = policy.initial(stream(0, "weights"))
    with LargestTensor() as largest:
        product = hessian_product(found.mean, weights, torch.ones_like(weights))
    assert product.shape == weights.shape
    assert 0 < largest.numbers <= policy.size
