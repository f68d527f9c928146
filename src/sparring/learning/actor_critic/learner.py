"""An actor-critic for one seat of a game that learns from a replay memory: TD3, resumable bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space
from sparring.games.env import SeatEnv
from sparring.learning.actor_critic.memory import ReplayMemory, empty_memory, unpack_memory
from sparring.learning.actor_critic.updates import (
    ActorCriticShape,
    Networks,
    UpdateSettings,
    act,
    pack_networks,
    unpack_networks,
    update,
    with_actors,
)
from sparring.learning.evaluation import does_better
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import Encoder
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator, stream
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields
from sparring.validation import check_at_least_one

USUAL = UpdateSettings()


class ActorCriticTraining(NamedTuple):
    """The state of a training."""

    networks: Networks
    memory: ReplayMemory
    env: Snapshot
    """The game between two steps."""
    steps: int
    episode: int
    """The episode that is being played."""
    running: float
    """The sum of its rewards so far."""
    returns: tuple[float, ...]
    """The return of each episode that ended."""
    keeps_start: bool = False
    """Whether the policy is the start, since training did not improve on it."""

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class ActorCritic:
    """Learns the policy of one seat, from scratch or from an existing policy."""

    settings: UpdateSettings = USUAL
    batch: int = 256
    memory: int = 50_000
    """The capacity of the replay memory, in steps."""
    warmup: int = 500
    """Steps before anything is learned: with uniform actions, or with those of `start`."""
    pace: int = 5
    """Steps for each gradient step."""
    noise: float = 0.1
    """The standard deviation of the noise on actions."""
    start: PolicyNetwork | None = None
    """A policy that the actor imitates at first; the critics learn its value before the actor moves."""
    imitation: int = 1000
    """Gradient steps of the imitation."""
    critic_updates: int = 500
    """Gradient steps of the critics before the actor of a start moves."""
    encoder: Encoder | None = None
    """Encodes the observation for the networks; None passes the observation itself."""
    trials: int = 5
    """Fresh episodes in which the trained policy must do better than the start."""

    def __post_init__(self) -> None:
        names = ("batch", "memory", "pace", "imitation", "trials")
        check_at_least_one("actor_critic", **{name: getattr(self, name) for name in names})

    def initial(self, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        env = _env(task)
        env.np_random = stream(seed, "episode", 0)
        env.reset()
        networks = self._architecture(task.space).initial(stream(seed, "networks"))
        memory = empty_memory([self._remembered(task.space)], self.memory)
        return ActorCriticTraining(networks, memory, env.snapshot(), 0, 0, 0.0, ())

    def improve(self, state: ActorCriticTraining, task: LearningTask, *, steps: int, seed: int) -> ActorCriticTraining:
        env, until = _env(task), state.steps + steps
        env.restore(state.env)
        while state.steps < until:
            state = self._step(state, env, actor=self._actor(state, task), seed=seed)
            if state.steps == self.warmup and self.start is not None:
                state = state._replace(networks=self._imitated(state, self.start, space=task.space, seed=seed))
            if state.steps >= self.warmup and state.steps % self.pace == 0:
                state = state._replace(networks=self._updated(state, space=task.space, seed=seed))
        return state._replace(env=env.snapshot())

    def choose(self, state: ActorCriticTraining, task: LearningTask, *, seed: int) -> ActorCriticTraining:
        """Return the state whose policy is the start where the trained one is not better in common fresh episodes."""
        if self.start is None:
            return state
        helped = does_better(task, self._actor(state, task), than=self.start, episodes=self.trials, seed=seed)
        return state._replace(keeps_start=not helped)

    def policies(self, state: ActorCriticTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        start = self.start if state.keeps_start else None
        return {task.seat: start or self._actor(state, task)}

    def codec(self, task: LearningTask) -> Codec[ActorCriticTraining]:
        return Codec(_pack, partial(_unpack, space=self._remembered(task.space)))

    def _actor(self, state: ActorCriticTraining, task: LearningTask) -> PolicyNetwork:
        """Return the policy that is trained."""
        layers = self._architecture(task.space).actors(state.networks.actors)[0]
        return PolicyNetwork(layers, "relu", "tanh", self.encoder)

    def _architecture(self, space: Space) -> ActorCriticShape:
        """Return the shapes of networks on the observation or the encoded observation."""
        return ActorCriticShape((self._encoded(space),), self.settings)

    def _encoded(self, space: Space) -> Space:
        return space if self.encoder is None else space._replace(observation=self.encoder.size(space.observation))

    @property
    def _remembers_encoded(self) -> bool:
        """Whether the memory holds encoded observations, which are often much smaller; a start must not need others."""
        return self.encoder is not None and (self.start is None or self.start.encoder is self.encoder)

    def _remembered(self, space: Space) -> Space:
        """Return the space of the observations in the memory."""
        return self._encoded(space) if self._remembers_encoded else space

    def _remember(self, seen: FloatArray) -> FloatArray:
        if self.encoder is None or not self._remembers_encoded:
            return seen
        encoded: FloatArray = self.encoder(torch.from_numpy(seen)).numpy()
        return encoded

    def _recall(self, seen: Tensor) -> Tensor:
        """Return what the networks see of observations in the memory."""
        return seen if self.encoder is None or self._remembers_encoded else self.encoder(seen)

    def _step(
        self, state: ActorCriticTraining, env: SeatEnv, *, actor: PolicyNetwork, seed: int
    ) -> ActorCriticTraining:
        seen, rng = env.match.seen(env.seat), stream(seed, "exploration", state.steps)
        size = env.match.seats[env.seat].action
        action = self._explore(seen, actor if state.steps >= self.warmup else self.start, size=size, rng=rng)
        after, reward, is_terminated, is_truncated, _ = env.step(action)
        # The objective is the return of an episode: the horizon is its end.
        is_over = is_terminated or is_truncated
        seen, after = self._remember(seen), self._remember(after)
        memory = state.memory.add([seen], [action], reward=reward, following=[after], ended=is_over)
        state = state._replace(memory=memory, steps=state.steps + 1, running=state.running + float(np.float32(reward)))
        if not is_over:
            return state
        env.np_random = stream(seed, "episode", state.episode + 1)
        env.reset()
        return state._replace(episode=state.episode + 1, running=0.0, returns=(*state.returns, state.running))

    def _explore(self, seen: FloatArray, policy: PolicyNetwork | None, *, size: int, rng: Generator) -> FloatArray:
        """Return a policy's action with noise, or a uniform one."""
        if policy is None:
            return rng.uniform(-1, 1, size).astype(np.float32)
        noise = self.noise * rng.standard_normal(size, dtype=np.float32)
        return np.clip(policy.act(seen) + noise, -1, 1)

    def _updated(self, state: ActorCriticTraining, *, space: Space, seed: int, moves_actors: bool = True) -> Networks:
        rng = stream(seed, "update", state.networks.updates)
        batch = state.memory.draw(self.batch, rng)
        batch = batch._replace(
            observations=tuple(map(self._recall, batch.observations)),
            following=tuple(map(self._recall, batch.following)),
        )
        noise = [torch.from_numpy(rng.standard_normal(tuple(batch.actions[0].shape), dtype=np.float32))]
        architecture = self._architecture(space)
        return update(state.networks, batch, architecture=architecture, noise=noise, moves_actors=moves_actors)

    def _imitated(self, state: ActorCriticTraining, start: PolicyNetwork, *, space: Space, seed: int) -> Networks:
        """Return networks whose actor imitates the starting policy, with critics of its value."""
        seen = state.memory.rows[: state.memory.filled, : state.memory.widths[0]]
        imitated = replace(start, encoder=None) if self._remembers_encoded else start
        inputs, answers, architecture = self._recall(seen), imitated(seen), self._architecture(space)
        actors = state.networks.actors.clone().requires_grad_()
        optimizer = torch.optim.Adam([actors], lr=self.settings.lr)
        for _ in range(self.imitation):
            optimizer.zero_grad()
            mse_loss(act(architecture.actors(actors)[0], inputs), answers).backward()
            optimizer.step()
        state = state._replace(networks=with_actors(state.networks, actors.detach()))
        for _ in range(self.critic_updates):
            state = state._replace(networks=self._updated(state, space=space, seed=seed, moves_actors=False))
        return state.networks


def _env(task: LearningTask) -> SeatEnv:
    return SeatEnv(task.game, task.seat, opponents=task.opponents)


def _pack(state: ActorCriticTraining) -> Snapshot:
    parts = {"networks": pack_networks(state.networks), "memory": state.memory.pack()}
    return pack_fields(state._asdict() | parts)


def _unpack(packed: Snapshot, space: Space) -> ActorCriticTraining:
    state = unpack_fields(packed, kind=ActorCriticTraining, parts=("networks", "memory", "env"))
    memory = unpack_memory(packed.part("memory"), [space])
    return state._replace(networks=unpack_networks(packed.part("networks")), memory=memory)
