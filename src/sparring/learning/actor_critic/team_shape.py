"""One actor that all members of a team share, and critics of the team's state and the actions of all ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import linear

from sparring.arrays import Vector
from sparring.contracts import Space, Team
from sparring.learning.actor_critic.updates import (
    Layers,
    Networks,
    UpdateSettings,
    draw_layers,
    forward,
    split_layers,
    untrained_networks,
)
from sparring.policies.encoder import Encoder
from sparring.policies.team import RANK, present_ranks, rank_inputs
from sparring.random import Generator


@dataclass(frozen=True)
class TeamShape:
    """The shapes of a team's networks: CMADDPG with one critic, multi-agent TD3 with two.

    The actor sees the team's observation and a rank; it is evaluated for the ranks that are present alone, and what its
    first layer makes of the observation once for all of them. The critics have a slot for each rank's action, with
    zeros for absent ranks. Members are told apart by nothing but their ranks.
    """

    space: Space
    settings: UpdateSettings
    encoder: Encoder | None = None
    """Encodes the team's observation for all networks."""

    @property
    def team(self) -> Team:
        """The team of the space."""
        assert self.space.team is not None
        return self.space.team

    def member(self, actors: Vector) -> Layers:
        """Return the layers of the actor, whose last input is the rank."""
        return split_layers(actors, [self._actor])[0]

    def initial(self, rng: Generator) -> Networks:
        critics = torch.cat([draw_layers(self._critic, rng) for _ in range(self.settings.critics)])
        return untrained_networks(draw_layers(self._actor, rng), critics)

    def answer(self, actors: Vector, observations: Sequence[Tensor]) -> tuple[Tensor, ...]:
        (seen,) = observations
        is_present = self.find_present(seen)
        (weight, bias), *rest = self.member(actors)
        common = linear(self._encode(seen), weight[:, :-RANK], bias)
        steps, places = is_present.nonzero(as_tuple=True)
        ranks = rank_inputs(present_ranks(seen, self.team), self.team.ranks)[steps, places]
        values = torch.addmm(common[steps], ranks[:, None], weight[:, -RANK:].T)
        answers = forward(tuple(rest), values.relu()) if rest else values
        rows = answers.new_zeros((*is_present.shape, answers.shape[1]))
        return (rows.index_put((steps, places), answers).flatten(1),)

    def estimate(self, critics: Vector, observations: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
        (seen,), (taken,) = observations, actions
        is_present = self.find_present(seen)
        heeded = torch.where(is_present[..., None], taken.unflatten(1, (self.team.ranks, -1)), 0).flatten(1)
        inputs = torch.cat([self._encode(seen), heeded], dim=1)
        size = sum((before + 1) * after for before, after in pairwise(self._critic))
        layers = split_layers(critics, [self._critic] * (len(critics) // size))
        return torch.stack([forward(each, inputs).squeeze(1) for each in layers])

    def substitute(self, taken: Sequence[Tensor], answers: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
        """Yield the answers of all ranks at once: by the chain rule the sum over members of algorithm 3."""
        yield tuple(answers)

    def _encode(self, seen: Tensor) -> Tensor:
        return seen if self.encoder is None else self.encoder(seen)

    def find_present(self, seen: Tensor) -> Tensor:
        """Return which ranks are present in each step, `[steps, ranks]`."""
        return torch.arange(self.team.ranks) < present_ranks(seen, self.team)[:, None]

    @property
    def _actor(self) -> tuple[int, ...]:
        return (self._features + RANK, *self.settings.hidden, self.space.action // self.team.ranks)

    @property
    def _critic(self) -> tuple[int, ...]:
        return (self._features + self.space.action, *self.settings.hidden, 1)

    @property
    def _features(self) -> int:
        return self.space.observation if self.encoder is None else self.encoder.size(self.space.observation)
