"""A spring as a game of the house: in each move the leader, who sees nothing, pulls it to a position.

A follower of an adaptive spring has a seat as well, and gains what the leader loses.
"""

from dataclasses import dataclass

import numpy as np
import torch

from sparring.contracts import Space
from sparring.games.exact.springs import Spring
from sparring.snapshot import Codec, Snapshot

SEAT, FOLLOWER = "leader", "follower"


@dataclass(frozen=True)
class Pull:
    """The move, and what the last pull gained."""

    move: int
    gain: float = 0.0


@dataclass(frozen=True)
class PulledSpring:
    """Each of `moves` pulls gains the payoff of the spring."""

    spring: Spring
    moves: int = 5

    @property
    def seats(self):
        return dict.fromkeys((SEAT, FOLLOWER) if self.spring.adaptive else (SEAT,), Space(1, 1))

    @property
    def codec(self):
        return Codec(lambda state: Snapshot({}, vars(state)), lambda packed: Pull(**packed.numbers))

    def initial(self, rng):
        return Pull(0)

    def observe(self, state, seat):
        return np.zeros(1, dtype=np.float32)

    def transition(self, state, actions, *, rng):
        pulled, answered = (
            torch.from_numpy(np.asarray(actions.get(seat, ()), dtype=np.float64)) for seat in (SEAT, FOLLOWER)
        )
        return Pull(state.move + 1, float(self.spring.leader(pulled, answered)))

    def reward(self, before, after, *, seat):
        return after.gain if seat == SEAT else -after.gain

    def is_over(self, state):
        return state.move >= self.moves
