"""Batches of episodes that players with stochastic policies play, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Vector, briefly
from sparring.contracts import Game, Policy
from sparring.errors import ConfigError
from sparring.games.env import Match
from sparring.learning.meta.gaussian_policy import GaussianPolicy
from sparring.random import Generator


class Episodes(NamedTuple):
    """What one player saw, did and gained in a batch of episodes; those that end early are filled up with zeros."""

    observations: Tensor
    """`[episodes, steps, numbers]`."""
    actions: Tensor
    """`[episodes, steps, numbers]`, as they were drawn."""
    rewards: Tensor
    """`[episodes, steps]`."""
    played: Tensor
    """`[episodes, steps]`: 1 for a step that was played, else 0."""


class EpisodeSource(Protocol):
    """A game in which all seats follow stochastic policies: the leader's first, then the follower's, if it has one."""

    @property
    def policies(self) -> Sequence[GaussianPolicy]:
        """The policy of each seat."""

    def sample(self, weights: Sequence[Vector], *, episodes: int, rng: Generator) -> tuple[Episodes, ...]:
        """Play episodes, and return them from the view of each seat."""


class BlindGame(Protocol):
    """A game whose players see nothing."""

    @property
    def steps(self) -> int:
        """How many actions each of them takes."""

    def rewards(self, *actions: Tensor) -> Sequence[Tensor]:
        """Return each player's `[episodes, steps]` rewards for the `[episodes, steps, numbers]` actions of all."""


@dataclass(frozen=True)
class BlindEpisodes:
    """Episodes of a blind game, all computed at once."""

    game: BlindGame
    policies: tuple[GaussianPolicy, ...]

    def sample(self, weights: Sequence[Vector], *, episodes: int, rng: Generator) -> tuple[Episodes, ...]:
        seen, played = torch.zeros(episodes, self.game.steps, 0), torch.ones(episodes, self.game.steps)
        actions = [policy.draw(each, seen, rng) for policy, each in zip(self.policies, weights, strict=True)]
        rewards = self.game.rewards(*actions)
        return tuple(Episodes(seen, acts, gains, played) for acts, gains in zip(actions, rewards, strict=False))


@dataclass(frozen=True, eq=False)
class GameEpisodes:
    """Episodes of any game, one after the other."""

    game: Game[Any]
    seats: Mapping[str, GaussianPolicy]
    """The learning seats, the leader first."""
    opponents: Mapping[str, Policy] = field(default_factory=dict)
    """The fixed policies of all other seats."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.game.seats.keys() != {*self.seats, *self.opponents}:
            given = ", ".join(map(repr, (*self.seats, *self.opponents))) or "none"
            wanted = ", ".join(map(repr, self.game.seats))
            raise ConfigError(f"game_episodes: policies are given for the seats {given}; the game's are {wanted}")
        for seat, policy in self.seats.items():
            space = self.game.seats[seat]
            if (policy.widths[0], policy.widths[-1]) != (space.observation, space.action):
                raise ConfigError(
                    f"game_episodes: the policy of seat {seat!r} has widths {policy.widths}; "
                    f"use {space.observation} inputs and {space.action} outputs"
                )

    @property
    def policies(self) -> tuple[GaussianPolicy, ...]:
        return tuple(self.seats.values())

    def sample(self, weights: Sequence[Vector], *, episodes: int, rng: Generator) -> tuple[Episodes, ...]:
        tables = [self._play(weights, rng) for _ in range(episodes)]
        return tuple(_padded([table[seat] for table in tables]) for seat in self.seats)

    def _play(self, weights: Sequence[Vector], rng: Generator) -> dict[str, list[tuple[Tensor, Tensor, float]]]:
        """Play an episode, and return what each seat saw, drew and gained in every step."""
        match = Match(self.game)
        steps: dict[str, list[tuple[Tensor, Tensor, float]]] = {seat: [] for seat in self.seats}
        match.begin(self.game.initial(rng))
        while not match.is_over:
            seen = {seat: torch.from_numpy(match.seen(seat)) for seat in self.seats}
            drawn = {
                seat: policy.draw(own, seen[seat], rng)
                for (seat, policy), own in zip(self.seats.items(), weights, strict=True)
            }
            others = {seat: policy.act(match.seen(seat)) for seat, policy in self.opponents.items()}
            answers = {seat: np.asarray(action, dtype=np.float32) for seat, action in drawn.items()}
            gains = match.play({**others, **answers}, rng=rng, gaining=self.seats)
            for seat, taken in steps.items():
                taken.append((seen[seat], drawn[seat], gains[seat]))
        return steps


def _padded(tables: Sequence[Sequence[tuple[Tensor, Tensor, float]]]) -> Episodes:
    """Return episodes, of which all but the longest are filled up with zeros."""
    longest = max(map(len, tables))
    columns = []
    for steps in tables:
        seen, drawn, gains = zip(*steps, strict=True)
        each = (torch.stack(seen), torch.stack(drawn), torch.tensor(gains), torch.ones(len(steps)))
        columns.append([torch.cat([part, part.new_zeros(longest - len(part), *part.shape[1:])]) for part in each])
    return Episodes(*map(torch.stack, zip(*columns, strict=True)))
