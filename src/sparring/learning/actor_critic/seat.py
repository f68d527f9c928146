"""The networks of one seat of a game: how they see, act, explore, learn from a memory, and begin as a given policy."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space
from sparring.learning.actor_critic.memory import ReplayMemory
from sparring.learning.actor_critic.team_shape import TeamShape
from sparring.learning.actor_critic.updates import (
    ActorCriticShape,
    Networks,
    UpdateSettings,
    update,
    with_actors,
)
from sparring.learning.evaluation import does_better
from sparring.learning.training_env import LearningTask
from sparring.policies.encoder import Encoder, RankEncoder
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import seat_policy
from sparring.random import Generator


@dataclass(frozen=True, eq=False)
class ActorCriticSeat:
    """What all learners of one seat's actor and critics share; `ActorCritic` describes the fields."""

    space: Space
    """The seat's observation in the game, before any encoder."""
    settings: UpdateSettings
    batch: int
    noise: float
    start: PolicyNetwork | None = None
    imitation: int = 0
    encoder: Encoder | None = None

    __repr__ = briefly

    @property
    def architecture(self) -> ActorCriticShape | TeamShape:
        """The shapes of networks on the observation or the encoded observation."""
        if self.space.team is not None:
            return TeamShape(self.space, self.settings, self.encoder)
        return ActorCriticShape((self._encoded,), self.settings)

    @property
    def remembered(self) -> Space:
        """The space of the observations in a memory."""
        return self._encoded if self._remembers_encoded else self.space

    def actor(self, networks: Networks) -> PolicyNetwork:
        """Return the network of the policy that is trained; of a team, that of a member."""
        shape = self.architecture
        if isinstance(shape, TeamShape):
            encoder = None if self.encoder is None else RankEncoder(self.encoder)
            return PolicyNetwork(shape.member(networks.actors), "relu", "tanh", encoder)
        return PolicyNetwork(shape.actors(networks.actors)[0], "relu", "tanh", self.encoder)

    def explore(self, seen: FloatArray, policy: PolicyNetwork | None, *, rng: Generator) -> FloatArray:
        """Return a policy's action with noise, or a uniform one."""
        size = self.space.action
        if policy is None:
            return rng.uniform(-1, 1, size).astype(np.float32)
        noise = self.noise * rng.standard_normal(size, dtype=np.float32)
        return np.clip(seat_policy(policy, self.space).act(seen) + noise, -1, 1)

    def remember(self, seen: FloatArray) -> FloatArray:
        """Return what a memory holds of an observation."""
        if self.encoder is None or not self._remembers_encoded:
            return seen
        encoded: FloatArray = self.encoder(torch.from_numpy(seen)).numpy()
        return encoded

    def updated(
        self, networks: Networks, memory: ReplayMemory, *, rng: Generator, moves_actors: bool = True
    ) -> Networks:
        """Return the networks after a gradient step on a batch from a memory."""
        batch = memory.draw(self.batch, rng)
        batch = batch._replace(
            observations=tuple(map(self._recall, batch.observations)),
            following=tuple(map(self._recall, batch.following)),
        )
        noise = [torch.from_numpy(rng.standard_normal(tuple(batch.actions[0].shape), dtype=np.float32))]
        return update(networks, batch, architecture=self.architecture, noise=noise, moves_actors=moves_actors)

    def imitating(self, networks: Networks, start: PolicyNetwork, seen: Tensor) -> Networks:
        """Return networks whose actor answers as a policy does to `[steps, numbers]` observations of a memory."""
        network = replace(start, encoder=None) if self._remembers_encoded else start
        imitated = seat_policy(network, self.space)
        inputs, answers, architecture = self._recall(seen), imitated(seen), self.architecture
        actors = networks.actors.clone().requires_grad_()
        optimizer = torch.optim.Adam([actors], lr=self.settings.lr)
        for _ in range(self.imitation):
            optimizer.zero_grad()
            mse_loss(architecture.answer(actors, [inputs])[0].tanh(), answers).backward()
            optimizer.step()
        return with_actors(networks, actors.detach())

    def keeps_start(self, networks: Networks, task: LearningTask, *, trials: int, seed: int) -> bool:
        """Say whether the trained policy is not better than the start in common fresh episodes."""
        if self.start is None:
            return False
        trained, start = (seat_policy(each, self.space) for each in (self.actor(networks), self.start))
        return not does_better(task, trained, than=start, episodes=trials, seed=seed)

    @property
    def _encoded(self) -> Space:
        size = self.space.observation
        return self.space if self.encoder is None else self.space._replace(observation=self.encoder.size(size))

    @property
    def _remembers_encoded(self) -> bool:
        """Whether the memory holds encoded observations, which are often much smaller; a start must not need others."""
        if self.encoder is None or self.space.team is not None:  # who is present is read from the observation
            return False
        return self.start is None or self.start.encoder is self.encoder

    def _recall(self, seen: Tensor) -> Tensor:
        """Return what the networks see of observations in the memory; those of a team encode them on their own."""
        if self.encoder is None or self._remembers_encoded or self.space.team is not None:
            return seen
        return self.encoder(seen)
