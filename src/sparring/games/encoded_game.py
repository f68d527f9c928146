"""A game in which one seat observes what an encoder makes of its observation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

import torch

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Game, Space, State, Truncating
from sparring.policies.encoder import Encoder
from sparring.random import Generator
from sparring.snapshot import Codec


@dataclass(frozen=True, eq=False)
class EncodedGame(Generic[State]):
    """The same game, with an encoder before one seat."""

    game: Game[State]
    seat: str
    encoder: Encoder

    __repr__ = briefly

    @property
    def seats(self) -> Mapping[str, Space]:
        """The spaces of all seats; an encoded observation need not lie in [-1, 1]."""
        space = self.game.seats[self.seat]
        encoded = space._replace(observation=self.encoder.size(space.observation), is_scaled=False)
        return {**self.game.seats, self.seat: encoded}

    @property
    def codec(self) -> Codec[State]:
        return self.game.codec

    def initial(self, rng: Generator) -> State:
        return self.game.initial(rng)

    def observe(self, state: State, seat: str) -> FloatArray:
        seen = self.game.observe(state, seat)
        if seat != self.seat:
            return seen
        encoded: FloatArray = self.encoder(torch.from_numpy(seen)).numpy()
        return encoded

    def transition(self, state: State, actions: Mapping[str, FloatArray], *, rng: Generator) -> State:
        return self.game.transition(state, actions, rng=rng)

    def reward(self, before: State, after: State, *, seat: str) -> float:
        return self.game.reward(before, after, seat=seat)

    def is_over(self, state: State) -> bool:
        return self.game.is_over(state)

    def is_truncated(self, state: State) -> bool:
        """Say whether the game stops at its horizon, if it has one."""
        return isinstance(self.game, Truncating) and self.game.is_truncated(state)
