r"""A cooperative quadratic game of a team, whose best policies and their values are formulas.

The members that are present in a step see a state $s$ and their ranks $\sigma = 0, \ldots, m - 1$, and each chooses a
number $a_\sigma$. The reward is shared:

$$r = -d^2 - \frac{1}{m} \sum_\sigma (a_\sigma - \alpha_\sigma)^2, \qquad \alpha_\sigma = \frac{1}{2} -
\frac{\sigma}{m - 1}$$

with $d = \bar a - s$ in the game of one step. In a game of several steps the state goes on, $s' = s + \bar a$, and $d =
s'$. The mean of $\alpha$ is 0, so that the ranks matter, and the best a member can do without knowing its own is to
answer as if $\alpha$ were 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch

from sparring.arrays import FloatArray
from sparring.contracts import Space, Team
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot
from sparring.validation import check_at_least_one

SEAT = "team"
REACH = 0.5
"""States are drawn uniformly from -REACH to REACH."""
SECOND_MOMENT = REACH**2 / 3
"""The mean square of a first state."""
UNIFORM = 1 / 3
"""The mean square of an action that is drawn uniformly from -1 to 1."""


class TeamState(NamedTuple):
    """A state of the game."""

    step: int
    state: float
    present: int
    """How many members are present."""
    reward: float
    """That of the step that led here."""


@dataclass(frozen=True)
class QuadraticTeam:
    """The game; `present` are the numbers of members from which that of each step is drawn."""

    members: int = 5
    present: tuple[int, ...] = (5,)
    steps: int = 1
    seats: Mapping[str, Space] = field(init=False)

    def __post_init__(self) -> None:
        check_at_least_one("team", members=self.members, steps=self.steps)
        if not self.present or not 2 <= min(self.present) <= max(self.present) <= self.members:
            raise ConfigError(f"team.present is {list(self.present)}; give numbers from 2 to {self.members}")
        space = Space(3, self.members, team=Team(self.members, self.members))
        object.__setattr__(self, "seats", {SEAT: space})

    @cached_property
    def best_return(self) -> float:
        """The mean return of the best policy: by backward induction V = -c s², where c = (1 + c') / (2 + c').

        c' is that of the steps that follow, 0 after the last one; the only step's best common part is s / 2.
        """
        return -_stiffness(self.steps) * SECOND_MOMENT

    @cached_property
    def best_return_without_ranks(self) -> float:
        """The mean return of the best policy that is the same at every rank."""
        return self.best_return - self.steps * self.spread

    @cached_property
    def random_return(self) -> float:
        """The mean return of actions that are drawn uniformly from -1 to 1."""
        steps = self.steps
        walked = fmean(UNIFORM / count for count in self.present)
        away = sum(SECOND_MOMENT + step * walked for step in range(1, steps + 1))
        return -away - steps * (UNIFORM + self.spread)

    @cached_property
    def spread(self) -> float:
        """The mean square of α over ranks."""
        return fmean((count + 1) / (12 * (count - 1)) for count in self.present)

    def initial(self, rng: Generator) -> TeamState:
        return TeamState(0, float(rng.uniform(-REACH, REACH)), self._draw(rng), 0.0)

    def observe(self, state: TeamState, seat: str) -> FloatArray:
        left = 1 - state.step / self.steps
        # States go as far as REACH + 1 for each step.
        seen = state.state / (REACH + (self.steps if self.steps > 1 else 0))
        return np.array([seen, left, state.present / self.members], np.float32)

    def transition(self, state: TeamState, actions: Mapping[str, FloatArray], *, rng: Generator) -> TeamState:
        played = actions[SEAT][: state.present].astype(np.float64)
        wanted = best_ranks(state.present)
        if self.steps == 1:
            after, distance = state.state, float(played.mean()) - state.state
        else:
            after = distance = state.state + float(played.mean())
        reward = -(distance**2) - float(np.square(played - wanted).mean())
        return TeamState(state.step + 1, after, self._draw(rng), reward)

    def reward(self, before: TeamState, after: TeamState, *, seat: str) -> float:
        return after.reward

    def is_over(self, state: TeamState) -> bool:
        return state.step >= self.steps

    @property
    def codec(self) -> Codec[TeamState]:
        return Codec(
            lambda state: Snapshot(
                {"numbers": torch.tensor([state.state, state.reward], dtype=torch.float64)},
                {"step": state.step, "present": state.present},
            ),
            _unpack,
        )

    def best_actions(self, state: TeamState) -> FloatArray:
        """Return the best action of each rank, zeros for absent ones."""
        actions = np.zeros(self.members, np.float32)
        actions[: state.present] = best_ranks(state.present) + self._best_mean(state)
        return actions

    def _best_mean(self, state: TeamState) -> float:
        if self.steps == 1:
            return state.state / 2
        rest = _stiffness(self.steps - state.step - 1)
        return -state.state * (1 + rest) / (2 + rest)

    def _draw(self, rng: Generator) -> int:
        return int(self.present[rng.integers(len(self.present))])


def best_ranks(present: int) -> FloatArray:
    """Return α of each rank."""
    return (0.5 - np.arange(present) / (present - 1)).astype(np.float32)


def _stiffness(steps: int) -> float:
    """Return c, where -c s² is the best return of the steps that are left from a state s."""
    found = 0.0
    for _ in range(steps):
        found = (1 + found) / (2 + found)
    return found


def _unpack(packed: Snapshot) -> TeamState:
    state, reward = packed.tensors["numbers"].tolist()
    return TeamState(packed.numbers["step"], state, packed.numbers["present"], reward)
