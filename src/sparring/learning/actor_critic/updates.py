"""The gradient step of TD3 (Fujimoto et al., 2018, algorithm 1), for one or several seats.

Each seat has an actor that sees what the seat sees. The critics see the observations and actions of all seats, as in
MADDPG (Lowe et al., 2017); the seats share the reward. With one seat and two critics this is TD3, with one critic and
a delay of 1 it is DDPG.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt
from typing import NamedTuple, Protocol

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


class NetworkShape(Protocol):
    """What a gradient step needs of the networks: how weights are drawn, and what actors and critics answer."""

    @property
    def settings(self) -> UpdateSettings: ...

    def initial(self, rng: Generator) -> "Networks":
        """Draw all weights."""

    def answer(self, actors: Vector, observations: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return what goes into the last tanh of the actors, `[steps, action]` for each seat."""

    def estimate(self, critics: Vector, observations: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
        """Return what the critics expect, `[critics, steps]`."""

    def substitute(self, taken: Sequence[Tensor], answers: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
        """Yield the joint actions whose value the actors raise, of those taken and of what the actors answer now."""


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
        """Return the layers of each critic, as views of the weights, which may be those of some critics alone."""
        size = sum((inputs + 1) * outputs for inputs, outputs in pairwise(self._critic))
        return split_layers(weights, [self._critic] * (len(weights) // size))

    def initial(self, rng: Generator) -> Networks:
        """Draw the weights as PyTorch's linear layers do: uniformly, within 1 / √inputs."""
        actors = torch.cat(
            [draw_layers((each.observation, *self.settings.hidden, each.action), rng) for each in self.spaces]
        )
        critics = torch.cat([draw_layers(self._critic, rng) for _ in range(self.settings.critics)])
        return untrained_networks(actors, critics)

    def answer(self, actors: Vector, observations: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple(forward(actor, seen) for actor, seen in zip(self.actors(actors), observations, strict=True))

    def estimate(self, critics: Vector, observations: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
        inputs = torch.cat([*observations, *actions], dim=1)
        return torch.stack([forward(critic, inputs).squeeze(1) for critic in self.critics(critics)])

    def substitute(self, taken: Sequence[Tensor], answers: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
        """Yield one for each seat: its answer in place of the action that it took, as in MADDPG."""
        for place, answer in enumerate(answers):
            yield (*taken[:place], answer, *taken[place + 1 :])

    @property
    def _critic(self) -> tuple[int, ...]:
        inputs = sum(space.observation + space.action for space in self.spaces)
        return (inputs, *self.settings.hidden, 1)


def untrained_networks(actors: Vector, critics: Vector) -> Networks:
    """Return networks of these weights, whose targets are equal, with fresh moments."""
    return Networks(actors, critics, actors, critics, no_moments(actors), no_moments(critics), 0)


def with_actors(networks: Networks, actors: Vector) -> Networks:
    """Return the networks with other actors and fresh moments."""
    return networks._replace(actors=actors, target_actors=actors, actor_moments=no_moments(actors))


def without_moments(networks: Networks) -> Networks:
    """Return the networks as before any update of their weights: with fresh moments."""
    actor, critic = no_moments(networks.actors), no_moments(networks.critics)
    return networks._replace(actor_moments=actor, critic_moments=critic, updates=0)


def update(
    networks: Networks,
    batch: Transitions,
    *,
    architecture: NetworkShape,
    noise: Sequence[Tensor],
    moves_actors: bool = True,
) -> Networks:
    """Return the networks after a gradient step of the critics and, every `delay` steps, of the actors and targets.

    `noise` are standard normal numbers for the target's actions of each seat. `moves_actors` is false while the critics
    learn the value of actors that were trained elsewhere.
    """
    settings = architecture.settings
    slope = critic_gradient(networks, batch, architecture=architecture, noise=noise)
    critics, critic_moments = adam_step(networks.critics, slope, networks.critic_moments, lr=settings.lr)
    networks = networks._replace(critics=critics, critic_moments=critic_moments, updates=networks.updates + 1)
    if networks.updates % settings.delay:
        return networks
    if moves_actors:
        slope = actor_gradient(networks, batch, architecture=architecture)
        actors, actor_moments = adam_step(networks.actors, slope, networks.actor_moments, lr=settings.lr)
        networks = networks._replace(actors=actors, actor_moments=actor_moments)
    return networks._replace(
        target_actors=networks.target_actors.lerp(networks.actors, settings.averaging),
        target_critics=networks.target_critics.lerp(networks.critics, settings.averaging),
    )


def critic_gradient(
    networks: Networks, batch: Transitions, *, architecture: NetworkShape, noise: Sequence[Tensor]
) -> Vector:
    """Return the gradient of the critics' squared errors, summed over critics and averaged over steps."""
    settings, bound = architecture.settings, architecture.settings.target_clip
    with torch.no_grad():
        inputs = architecture.answer(networks.target_actors, batch.following)
        answers = [
            (each.tanh() + (settings.target_noise * drawn).clamp(-bound, bound)).clamp(-1, 1)
            for each, drawn in zip(inputs, noise, strict=True)
        ]
        expected = architecture.estimate(networks.target_critics, batch.following, answers)
        target = batch.rewards + settings.discount * (1 - batch.ended) * expected.amin(dim=0)
    leaf = networks.critics.clone().requires_grad_()
    values = architecture.estimate(leaf, batch.observations, batch.actions)
    return _gradient((values - target).square().mean(dim=1).sum(), leaf)


def actor_gradient(networks: Networks, batch: Transitions, *, architecture: NetworkShape) -> Vector:
    """Return the gradient of minus the first critic's value of the joint actions that the actors are to raise."""
    settings, leaf = architecture.settings, networks.actors.clone().requires_grad_()
    critic = networks.critics[: len(networks.critics) // settings.critics]
    inputs = architecture.answer(leaf, batch.observations)
    joint = architecture.substitute(batch.actions, [each.tanh() for each in inputs])
    losses = [-architecture.estimate(critic, batch.observations, actions)[0].mean() for actions in joint]
    if settings.saturation > 0:
        losses += [settings.saturation * each.square().mean() for each in inputs]
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


def forward(layers: Layers, values: Tensor) -> Tensor:
    """Return the outputs of layers with ReLUs between them."""
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


def draw_layers(widths: Sequence[int], rng: Generator) -> Vector:
    """Draw weights and biases uniformly within 1 / √inputs."""
    layers = [rng.uniform(-1, 1, (inputs + 1) * outputs) / sqrt(inputs) for inputs, outputs in pairwise(widths)]
    return torch.from_numpy(np.concatenate(layers).astype(np.float32))


def _gradient(loss: Tensor, leaf: Vector) -> Vector:
    return torch.autograd.grad(loss, leaf)[0]


def no_moments(weights: Tensor) -> AdamMoments:
    """Return moments before any step."""
    return AdamMoments(torch.zeros_like(weights), torch.zeros_like(weights), 0)


def adam_step(weights: Vector, slope: Vector, moments: AdamMoments, *, lr: float) -> tuple[Vector, AdamMoments]:
    """Return weights after a step of Adam (Kingma and Ba, 2015), as PyTorch takes it."""
    count, (one, two) = moments.steps + 1, BETAS
    first = moments.first.lerp(slope, 1 - one)
    second = (moments.second * two).addcmul_(slope, slope, value=1 - two)
    scale = (second.sqrt() / sqrt(1 - two**count)).add_(EPSILON)
    return weights.addcdiv(first, scale, value=-lr / (1 - one**count)), AdamMoments(first, second, count)
