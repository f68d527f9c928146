"""The gradients and steps of our actor-critic against Stable-Baselines3's TD3 on the same batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gymnasium import Env
from gymnasium.spaces import Box
from stable_baselines3 import TD3
from stable_baselines3.common.buffers import ReplayBufferSamples
from stable_baselines3.common.logger import Logger

from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.actor_critic import ActorCriticShape, Transitions, UpdateSettings, update
from sparring.learning.actor_critic.updates import actor_gradient, critic_gradient, pack_networks, unpack_networks
from sparring.random import stream

SEEN, ANSWERED, BATCH = 5, 2, 16
SETTINGS = UpdateSettings(hidden=(8, 6), lr=1e-2, discount=0.9, averaging=0.1)
TD3_OF_ONE_SEAT = ActorCriticShape((Space(SEEN, ANSWERED),), SETTINGS)


class Nowhere(Env):
    observation_space = Box(-1, 1, (SEEN,), np.float32)
    action_space = Box(-1, 1, (ANSWERED,), np.float32)


def flat(parameters):
    return torch.cat([parameter.detach().flatten() for parameter in parameters])


def write(module, weights):
    torch.nn.utils.vector_to_parameters(weights.clone(), module.parameters())


def drawn(name):
    rng = stream(0, "batch", name)

    def uniform(*shape):
        return torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))

    ended = (uniform(BATCH) > 0.6).float()
    batch = Transitions(
        (uniform(BATCH, SEEN),), (uniform(BATCH, ANSWERED),), uniform(BATCH), (uniform(BATCH, SEEN),), ended
    )
    return batch, uniform(BATCH, ANSWERED)


@pytest.fixture
def published(monkeypatch):
    """Return TD3 of Stable-Baselines3 with our first weights, and the weights."""
    networks = TD3_OF_ONE_SEAT.initial(stream(0, "networks"))
    algorithm = TD3(
        "MlpPolicy",
        Nowhere(),
        learning_rate=SETTINGS.lr,
        gamma=SETTINGS.discount,
        tau=SETTINGS.averaging,
        policy_kwargs={"net_arch": list(SETTINGS.hidden)},
        device="cpu",
    )
    algorithm.set_logger(Logger(folder=None, output_formats=[]))
    for actor in (algorithm.actor, algorithm.actor_target):
        write(actor, networks.actors)
    for critic in (algorithm.critic, algorithm.critic_target):
        write(critic, networks.critics)
    return algorithm, networks


def train(algorithm, batch, noise, monkeypatch):
    """Take a gradient step on a batch, with these normal numbers in place of those that are drawn."""
    samples = ReplayBufferSamples(
        batch.observations[0], batch.actions[0], batch.following[0], batch.ended[:, None], batch.rewards[:, None]
    )
    with monkeypatch.context() as patch:
        patch.setattr(algorithm.replay_buffer, "sample", lambda *_, **__: samples)
        patch.setattr(torch.Tensor, "normal_", lambda tensor, mean, std: tensor.copy_(mean + std * noise))
        algorithm.train(gradient_steps=1, batch_size=BATCH)


def test_the_gradients_of_one_batch_are_those_of_stable_baselines3(published, monkeypatch):
    algorithm, networks = published
    for name in ("first", "second"):
        batch, noise = drawn(name)
        expected = critic_gradient(networks, batch, architecture=TD3_OF_ONE_SEAT, noise=[noise])
        moved = update(networks, batch, architecture=TD3_OF_ONE_SEAT, noise=[noise])
        train(algorithm, batch, noise, monkeypatch)
        slopes = torch.cat([parameter.grad.flatten() for parameter in algorithm.critic.parameters()])
        if name == "first":  # afterwards the actor's loss adds to what the critics have
            torch.testing.assert_close(slopes, expected, atol=1e-5, rtol=1e-5)
        else:
            before = networks._replace(critics=moved.critics)
            rises = torch.cat([parameter.grad.flatten() for parameter in algorithm.actor.parameters()])
            expected = actor_gradient(before, batch, architecture=TD3_OF_ONE_SEAT)
            torch.testing.assert_close(rises, expected, atol=1e-5, rtol=1e-5)
        networks = moved
    torch.testing.assert_close(flat(algorithm.critic.parameters()), networks.critics, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flat(algorithm.actor.parameters()), networks.actors, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flat(algorithm.actor_target.parameters()), networks.target_actors, atol=1e-5, rtol=1e-5)


def test_another_batch_has_another_gradient():
    networks = TD3_OF_ONE_SEAT.initial(stream(0, "networks"))
    first, second = (
        critic_gradient(networks, batch, architecture=TD3_OF_ONE_SEAT, noise=[noise])
        for batch, noise in (drawn("first"), drawn("second"))
    )
    assert not torch.allclose(first, second, atol=1e-3)


def test_the_actors_of_two_seats_move_by_what_all_of_them_see():
    architecture = ActorCriticShape((Space(3, 1), Space(2, 2)), SETTINGS)
    networks = architecture.initial(stream(0, "networks"))
    rng = stream(0, "two seats")

    def uniform(*shape):
        return torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))

    seen, answers = (uniform(4, 3), uniform(4, 2)), (uniform(4, 1), uniform(4, 2))
    batch = Transitions(seen, answers, uniform(4), seen, torch.zeros(4))
    slope = actor_gradient(networks, batch, architecture=architecture)
    other = batch._replace(observations=(seen[0], seen[1] + 0.1))
    changed = actor_gradient(networks, other, architecture=architecture)
    first = len(networks.actors) - sum((a + 1) * b for a, b in ((2, 8), (8, 6), (6, 2)))
    assert not torch.equal(slope[:first], changed[:first])


def test_weights_and_moments_survive_the_way_to_disk():
    networks = TD3_OF_ONE_SEAT.initial(stream(0, "networks"))
    batch, noise = drawn("first")
    for _ in range(2):
        networks = update(networks, batch, architecture=TD3_OF_ONE_SEAT, noise=[noise])
    restored = unpack_networks(pack_networks(networks))
    one, other = (update(each, batch, architecture=TD3_OF_ONE_SEAT, noise=[noise]) for each in (networks, restored))
    assert torch.equal(one.critics, other.critics)
    assert torch.equal(one.actors, other.actors)
    assert one.updates == other.updates == 3


def test_saturation_pulls_the_inputs_of_tanh_towards_zero():
    networks = TD3_OF_ONE_SEAT.initial(stream(0, "networks"))
    batch, _ = drawn("first")
    strong = ActorCriticShape(TD3_OF_ONE_SEAT.spaces, replace(SETTINGS, saturation=1e6))
    slope = actor_gradient(networks, batch, architecture=strong)
    seen = batch.observations[0]
    before, after = (
        strong.answer(weights, [seen])[0].tanh().abs().mean()
        for weights in (networks.actors, networks.actors - 1e-9 * slope)
    )
    assert after < before


def test_a_negative_saturation_is_refused():
    with pytest.raises(ConfigError, match="saturation is -1; it must be at least 0"):
        UpdateSettings(saturation=-1)
