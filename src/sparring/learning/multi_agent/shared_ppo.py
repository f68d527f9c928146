"""Shared-policy PPO: all members of a team draw from one policy, and one value is learned (Yu et al., 2022)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log, pi
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Vector, briefly
from sparring.errors import ConfigError
from sparring.games.env import SeatEnv
from sparring.learning.actor_critic.team_shape import TeamShape
from sparring.learning.actor_critic.updates import (
    AdamMoments,
    UpdateSettings,
    adam_step,
    draw_layers,
    forward,
    split_layers,
)
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import Encoder, RankEncoder
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator, stream
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields
from sparring.validation import check_at_least_one, check_positive, check_shares

VALUE = 0.5
"""The weight of the value's squared error, as usual."""


class Rollout(NamedTuple):
    """Steps that the present policy played."""

    seen: Tensor
    """`[steps, numbers]`."""
    drawn: Tensor
    """`[steps, ranks, action]`, before they were clipped."""
    rewards: Tensor
    following: Tensor
    ended: Tensor


class SharedPPOTraining(NamedTuple):
    """The state of a training."""

    actor: Vector
    """The member's network, then the log standard deviation of each number of an action."""
    value: Vector
    actor_first: Vector
    actor_second: Vector
    value_first: Vector
    value_second: Vector
    env: Snapshot
    updates: int
    steps: int
    episode: int
    running: float
    returns: tuple[float, ...]

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class SharedPPO:
    """Learns a team's seat on policy."""

    hidden: tuple[int, ...] = (64, 64)
    lr: float = 1e-3
    discount: float = 0.99
    trace: float = 0.95
    """λ of the generalized advantage estimate."""
    clip: float = 0.2
    """By how much the probability of an action may change in an iteration."""
    rollout: int = 256
    """Steps of an iteration."""
    epochs: int = 10
    batch: int = 64
    deviation: float = 0.5
    """The standard deviation of actions at first."""
    encoder: Encoder | None = None
    """Encodes the team's observation."""

    def __post_init__(self) -> None:
        names = ("rollout", "epochs", "batch")
        check_at_least_one("shared_ppo", **{name: getattr(self, name) for name in names})
        check_positive("shared_ppo", lr=self.lr, clip=self.clip, deviation=self.deviation)
        check_shares("shared_ppo", discount=self.discount, trace=self.trace)

    def initial(self, task: LearningTask, *, seed: int) -> SharedPPOTraining:
        shape, env = self._shape(task), SeatEnv(task.game, task.seat, opponents=task.opponents)
        env.np_random = stream(seed, "episode", 0)
        env.reset()
        rng, numbers = stream(seed, "networks"), task.space.action // shape.team.ranks
        actor = torch.cat([shape.initial(rng).actors, torch.full((numbers,), log(self.deviation))])
        value = draw_layers(self._value_widths(task), rng)
        own, judge = torch.zeros_like(actor), torch.zeros_like(value)
        return SharedPPOTraining(actor, value, own, own, judge, judge, env.snapshot(), 0, 0, 0, 0.0, ())

    def improve(self, state: SharedPPOTraining, task: LearningTask, *, steps: int, seed: int) -> SharedPPOTraining:
        env, until = SeatEnv(task.game, task.seat, opponents=task.opponents), state.steps + steps
        env.restore(state.env)
        while state.steps < until:
            state, played = self._play(state, env, task=task, seed=seed)
            state = self._learn(state, played, task=task, rng=stream(seed, "update", state.updates))
        return state._replace(env=env.snapshot())

    def choose(self, state: SharedPPOTraining, task: LearningTask, *, seed: int) -> SharedPPOTraining:
        return state

    def policies(self, state: SharedPPOTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        """Return the network of a member, which answers the mean."""
        encoder = None if self.encoder is None else RankEncoder(self.encoder)
        shape = self._shape(task)
        return {task.seat: PolicyNetwork(shape.member(self._split(state.actor, task)[0]), "relu", "tanh", encoder)}

    def codec(self, task: LearningTask) -> Codec[SharedPPOTraining]:
        return Codec(
            lambda state: pack_fields(state._asdict()),
            partial(unpack_fields, kind=SharedPPOTraining, parts=("env",)),
        )

    def _shape(self, task: LearningTask) -> TeamShape:
        if task.space.team is None:
            raise ConfigError(f"seat {task.seat!r} has no team; shared_ppo learns that of a team")
        return TeamShape(task.space, UpdateSettings(hidden=self.hidden), self.encoder)

    def _value_widths(self, task: LearningTask) -> tuple[int, ...]:
        seen = task.space.observation
        return (seen if self.encoder is None else self.encoder.size(seen), *self.hidden, 1)

    def _split(self, actor: Vector, task: LearningTask) -> tuple[Vector, Vector]:
        """Return the network's weights and the log standard deviations."""
        shape = self._shape(task)
        return actor[: -task.space.action // shape.team.ranks], actor[-task.space.action // shape.team.ranks :]

    def _means(self, actor: Vector, seen: Tensor, task: LearningTask) -> tuple[Tensor, Tensor]:
        """Return the mean actions `[steps, ranks, action]`, and their log standard deviations."""
        weights, spread = self._split(actor, task)
        shape = self._shape(task)
        return shape.answer(weights, [seen])[0].tanh().unflatten(1, (shape.team.ranks, -1)), spread

    def _values(self, value: Vector, seen: Tensor, task: LearningTask) -> Tensor:
        features = seen if self.encoder is None else self.encoder(seen)
        return forward(split_layers(value, [self._value_widths(task)])[0], features).squeeze(1)

    def _play(
        self, state: SharedPPOTraining, env: SeatEnv, *, task: LearningTask, seed: int
    ) -> tuple[SharedPPOTraining, Rollout]:
        """Play an iteration's steps with the present policy."""
        rows: list[tuple[Tensor, Tensor, float, Tensor, float]] = []
        for _ in range(self.rollout):
            seen = torch.from_numpy(env.match.seen(env.seat)).float()
            rng = stream(seed, "exploration", state.steps)
            with torch.no_grad():
                mean, spread = self._means(state.actor, seen[None], task)
            noise = torch.from_numpy(rng.standard_normal(tuple(mean.shape), dtype=np.float32))
            drawn = (mean + spread.exp() * noise)[0]
            after, reward, is_terminated, is_truncated, _ = env.step(drawn.clamp(-1, 1).flatten().numpy())
            is_over = is_terminated or is_truncated
            rows.append((seen, drawn, float(np.float32(reward)), torch.from_numpy(after).float(), float(is_over)))
            state = state._replace(steps=state.steps + 1, running=state.running + float(np.float32(reward)))
            if is_over:
                env.np_random = stream(seed, "episode", state.episode + 1)
                env.reset()
                returns = (*state.returns, state.running)
                state = state._replace(episode=state.episode + 1, running=0.0, returns=returns)
        seen_, drawn_, rewards, following, ended = zip(*rows, strict=True)
        stacked = (torch.stack(seen_), torch.stack(drawn_), torch.tensor(rewards), torch.stack(following))
        return state, Rollout(*stacked, torch.tensor(ended))

    def _learn(
        self, state: SharedPPOTraining, played: Rollout, *, task: LearningTask, rng: Generator
    ) -> SharedPPOTraining:
        """Take the gradient steps of an iteration."""
        present = self._shape(task).find_present(played.seen)
        with torch.no_grad():
            advantages, targets = self._advantages(state.value, played, task)
            before = _log_densities(*self._means(state.actor, played.seen, task), played.drawn)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        for _ in range(self.epochs):
            for rows in torch.from_numpy(rng.permutation(len(targets))).split(self.batch):
                actor, value = (each.clone().requires_grad_() for each in (state.actor, state.value))
                now = _log_densities(*self._means(actor, played.seen[rows], task), played.drawn[rows])
                ratio, gained = (now - before[rows]).exp(), advantages[rows, None]
                pushed = torch.minimum(ratio * gained, ratio.clamp(1 - self.clip, 1 + self.clip) * gained)
                heeded = torch.where(present[rows], pushed, 0)
                error = (self._values(value, played.seen[rows], task) - targets[rows]).square().mean()
                loss = VALUE * error - heeded.sum() / present[rows].sum().clamp(min=1)
                state = self._stepped(state, torch.autograd.grad(loss, [actor, value]))
        return state

    def _stepped(self, state: SharedPPOTraining, slopes: tuple[Tensor, ...]) -> SharedPPOTraining:
        """Return the state after a step of Adam."""
        actor, actors = adam_step(
            state.actor, slopes[0], AdamMoments(state.actor_first, state.actor_second, state.updates), lr=self.lr
        )
        value, values = adam_step(
            state.value, slopes[1], AdamMoments(state.value_first, state.value_second, state.updates), lr=self.lr
        )
        return state._replace(
            actor=actor,
            value=value,
            actor_first=actors.first,
            actor_second=actors.second,
            value_first=values.first,
            value_second=values.second,
            updates=state.updates + 1,
        )

    def _advantages(self, value: Vector, played: Rollout, task: LearningTask) -> tuple[Tensor, Tensor]:
        """Return the generalized advantage estimates, and the values that they lead to."""
        now, after = (self._values(value, each, task) for each in (played.seen, played.following))
        errors = played.rewards + self.discount * (1 - played.ended) * after - now
        found, carried = torch.zeros_like(errors), torch.zeros(())
        for step in reversed(range(len(errors))):
            carried = errors[step] + self.discount * self.trace * (1 - played.ended[step]) * carried
            found[step] = carried
        return found, found + now


def _log_densities(mean: Tensor, spread: Tensor, drawn: Tensor) -> Tensor:
    """Return the log density of each rank's action, `[steps, ranks]`."""
    return -(((drawn - mean) / spread.exp()).square() / 2 + spread + log(2 * pi) / 2).sum(dim=-1)
