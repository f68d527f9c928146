"""The gradient step of TD3 (Fujimoto et al., 2018, algorithm 1), for one or several seats.

Each seat has an actor that sees what the seat sees. The critics see the observations and actions of all seats, as in
MADDPG (Lowe et al., 2017); the seats share the reward. With one seat and two critics this is TD3, with one critic and
a delay of 1 it is DDPG.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from sparring.arrays import Vector, briefly
from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.snapshot import Snapshot
from sparring.validation import check_at_least_one, check_positive, check_shares

Layers = tuple[tuple[Tensor, Tensor], ...]
"""The weight and the bias of each layer."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's (Kingma and Ba, 2015)."""


@dataclass(frozen=True)
class UpdateSettings:
    """How actors and critics learn from a batch."""

    hidden: tuple[int, ...] = (256, 128)
    """Units of the hidden layers, the same in actors and critics."""
    lr: float = 1e-3
    discount: float = 0.99
    averaging: float = 0.005
    """The share of the new weights in the targets' moving average."""
    critics: int = 2
    """Critics of which the smallest value counts."""
    delay: int = 2
    """Updates of the critics for each one of the actors and the targets."""
    target_noise: float = 0.2
    """The standard deviation of the noise on the target's actions."""
    target_clip: float = 0.5
    """The largest such noise."""
    saturation: float = 0.0
    """The weight, in the actor's loss, of the mean square of what goes into the last tanh; TD3 has none.

    Where the critics at first slope in one direction, it keeps actors from the ends of tanh, where gradients vanish.
    """

    def __post_init__(self) -> None:
        units = {f"hidden[{place}]": units for place, units in enumerate(self.hidden)}
        check_at_least_one("actor_critic", critics=self.critics, delay=self.delay, **units)
        check_positive("actor_critic", lr=self.lr)
        check_shares("actor_critic", discount=self.discount, averaging=self.averaging)
        if not 0 <= self.saturation < inf:
            raise ConfigError(f"actor_critic.saturation is {self.saturation}; it must be at least 0 and finite")


class Transitions(NamedTuple):
    """Steps of a game; each tuple has an entry for each seat."""

    observations: tuple[Tensor, ...]
    """`[steps, numbers]` for each seat."""
    actions: tuple[Tensor, ...]
    rewards: Tensor
    """`[steps]`, shared by the seats."""
    following: tuple[Tensor, ...]
    """What each seat sees after the step."""
    ended: Tensor
    """`[steps]`, 1 where the game is over after the step, else 0."""


class AdamMoments(NamedTuple):
    """Adam's moment estimates of a gradient."""

    first: Vector
    second: Vector
    steps: int


class Networks(NamedTuple):
    """All weights of a learner in flat vectors, and the moments of its optimizers."""

    actors: Vector
    critics: Vector
    target_actors: Vector
    target_critics: Vector
    actor_moments: AdamMoments
    critic_moments: AdamMoments
    updates: int

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class ActorCriticShape:
    """The shapes of the actors and critics of some seats, and how they learn."""

    spaces: tuple[Space, ...]
    settings: UpdateSettings

    def actors(self, weights: Vector) -> tuple[Layers, ...]:
        """Return the layers of each seat's actor, as views of the weights."""
        return split_layers(
            weights, [(space.observation, *self.settings.hidden, space.action) for space in self.spaces]
        )

    def critics(self, weights: Vector) -> tuple[Layers, ...]:
        """Return the layers of each critic, as views of the weights."""
        return split_layers(weights, [self._critic] * self.settings.critics)

    def initial(self, rng: Generator) -> Networks:
        """Draw the weights as PyTorch's linear layers do: uniformly, within 1 / √inputs."""
        actors = torch.cat([_draw((each.observation, *self.settings.hidden, each.action), rng) for each in self.spaces])
        critics = torch.cat([_draw(self._critic, rng) for _ in range(self.settings.critics)])
        return Networks(actors, critics, actors, critics, _still(actors), _still(critics), 0)

    @property
    def _critic(self) -> tuple[int, ...]:
        inputs = sum(space.observation + space.action for space in self.spaces)
        return (inputs, *self.settings.hidden, 1)


def act(actor: Layers, observations: Tensor) -> Tensor:
    """Return the `[steps, action]` answers of an actor, in [-1, 1]."""
    return _forward(actor, observations).tanh()


def value(critic: Layers, observations: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
    """Return what a critic expects, `[steps]`."""
    return _forward(critic, torch.cat([*observations, *actions], dim=1)).squeeze(1)


def with_actors(networks: Networks, actors: Vector) -> Networks:
    """Return the networks with other actors and fresh moments."""
    return networks._replace(actors=actors, target_actors=actors, actor_moments=_still(actors))


def without_moments(networks: Networks) -> Networks:
    """Return the networks as before any update of their weights: with fresh moments."""
    actor, critic = _still(networks.actors), _still(networks.critics)
    return networks._replace(actor_moments=actor, critic_moments=critic, updates=0)


def update(
    networks: Networks,
    batch: Transitions,
    *,
    architecture: ActorCriticShape,
    noise: Sequence[Tensor],
    moves_actors: bool = True,
) -> Networks:
    """Return the networks after a gradient step of the critics and, every `delay` steps, of the actors and targets.

    `noise` are standard normal numbers for the target's actions of each seat. `moves_actors` is false while the critics
    learn the value of actors that were trained elsewhere.
    """
    settings = architecture.settings
    slope = critic_gradient(networks, batch, architecture=architecture, noise=noise)
    critics, critic_moments = _adam(networks.critics, slope, networks.critic_moments, lr=settings.lr)
    networks = networks._replace(critics=critics, critic_moments=critic_moments, updates=networks.updates + 1)
    if networks.updates % settings.delay:
        return networks
    if moves_actors:
        slope = actor_gradient(networks, batch, architecture=architecture)
        actors, actor_moments = _adam(networks.actors, slope, networks.actor_moments, lr=settings.lr)
        networks = networks._replace(actors=actors, actor_moments=actor_moments)
    return networks._replace(
        target_actors=networks.target_actors.lerp(networks.actors, settings.averaging),
        target_critics=networks.target_critics.lerp(networks.critics, settings.averaging),
    )


def critic_gradient(
    networks: Networks, batch: Transitions, *, architecture: ActorCriticShape, noise: Sequence[Tensor]
) -> Vector:
    """Return the gradient of the critics' squared errors, summed over critics and averaged over steps."""
    settings, bound = architecture.settings, architecture.settings.target_clip
    with torch.no_grad():
        actors = architecture.actors(networks.target_actors)
        answers = [
            (act(actor, seen) + (settings.target_noise * drawn).clamp(-bound, bound)).clamp(-1, 1)
            for actor, seen, drawn in zip(actors, batch.following, noise, strict=True)
        ]
        critics = architecture.critics(networks.target_critics)
        expected = torch.stack([value(critic, batch.following, answers) for critic in critics])
        target = batch.rewards + settings.discount * (1 - batch.ended) * expected.amin(dim=0)
    leaf = networks.critics.clone().requires_grad_()
    values = torch.stack([value(critic, batch.observations, batch.actions) for critic in architecture.critics(leaf)])
    return _gradient((values - target).square().mean(dim=1).sum(), leaf)


def actor_gradient(networks: Networks, batch: Transitions, *, architecture: ActorCriticShape) -> Vector:
    """Return the gradient of minus the first critic's value, each actor's action in place of the one in the batch."""
    leaf = networks.actors.clone().requires_grad_()
    critic, saturation, losses = architecture.critics(networks.critics)[0], architecture.settings.saturation, []
    for place, (actor, seen) in enumerate(zip(architecture.actors(leaf), batch.observations, strict=True)):
        inputs = _forward(actor, seen)
        answers = [*batch.actions[:place], inputs.tanh(), *batch.actions[place + 1 :]]
        loss = -value(critic, batch.observations, answers).mean()
        losses.append(loss + saturation * inputs.square().mean() if saturation > 0 else loss)
    return _gradient(torch.stack(losses).sum(), leaf)


def pack_networks(networks: Networks) -> Snapshot:
    """Return all weights and moments as a snapshot."""
    tensors = {name: tensor for name, tensor in networks._asdict().items() if isinstance(tensor, Tensor)}
    counts = {}
    for player, moments in (("actor", networks.actor_moments), ("critic", networks.critic_moments)):
        tensors |= {f"{player} first": moments.first, f"{player} second": moments.second}
        counts[player] = moments.steps
    return Snapshot(tensors, {"updates": networks.updates, **counts})


def unpack_networks(packed: Snapshot) -> Networks:
    """Return the networks that were packed."""
    tensors, numbers = packed
    actor, critic = (
        AdamMoments(tensors[f"{player} first"], tensors[f"{player} second"], numbers[player])
        for player in ("actor", "critic")
    )
    return Networks(
        tensors["actors"],
        tensors["critics"],
        tensors["target_actors"],
        tensors["target_critics"],
        actor_moments=actor,
        critic_moments=critic,
        updates=numbers["updates"],
    )


def _forward(layers: Layers, values: Tensor) -> Tensor:
    *hidden, last = layers
    for layer in hidden:
        values = linear(values, *layer).relu()
    return linear(values, *last)


def split_layers(weights: Vector, widths: Sequence[Sequence[int]]) -> tuple[Layers, ...]:
    """Cut a vector into the weights and biases of networks."""
    shapes = [[(outputs, inputs) for inputs, outputs in pairwise(each)] for each in widths]
    sizes = [size for each in shapes for outputs, inputs in each for size in (outputs * inputs, outputs)]
    pieces = iter(weights.split(sizes))
    return tuple(tuple((next(pieces).view(shape), next(pieces)) for shape in each) for each in shapes)


def _draw(widths: Sequence[int], rng: Generator) -> Vector:
    layers = [rng.uniform(-1, 1, (inputs + 1) * outputs) / sqrt(inputs) for inputs, outputs in pairwise(widths)]
    return torch.from_numpy(np.concatenate(layers).astype(np.float32))


def _gradient(loss: Tensor, leaf: Vector) -> Vector:
    return torch.autograd.grad(loss, leaf)[0]


def _still(weights: Vector) -> AdamMoments:
    return AdamMoments(torch.zeros_like(weights), torch.zeros_like(weights), 0)


def _adam(weights: Vector, slope: Vector, moments: AdamMoments, *, lr: float) -> tuple[Vector, AdamMoments]:
    """Return weights after a step of Adam (Kingma and Ba, 2015), as PyTorch takes it."""
    count, (one, two) = moments.steps + 1, BETAS
    first = moments.first.lerp(slope, 1 - one)
    second = (moments.second * two).addcmul_(slope, slope, value=1 - two)
    scale = (second.sqrt() / sqrt(1 - two**count)).add_(EPSILON)
    return weights.addcdiv(first, scale, value=-lr / (1 - one**count)), AdamMoments(first, second, count)
