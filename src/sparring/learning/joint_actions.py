"""The oracle of a team: constant actions, equal for all ranks or one for each half, compared in common episodes.

No policy of the ranks that is nearly constant does better than the best of a fine enough grid, so that a team that
learns is believed against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.contracts import Space
from sparring.errors import ConfigError
from sparring.learning.evaluation import episode_returns
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import TeamPolicy, member_space
from sparring.snapshot import Codec, pack_fields, unpack_fields

ORACLE = "oracle"
"""The name of the episodes that the candidates play."""
STEEP = 1e3
"""The factor on a rank before it goes through tanh: any rank but 0 becomes -1 or 1."""


def by_halves(space: Space, first: Sequence[float], second: Sequence[float]) -> PolicyNetwork:
    """Return a member's network that answers `first` in the lower half of the ranks, and `second` in the upper half.

    The member in the middle, and one that is alone, answers the mean of both. `space` is that of the team.
    """
    own = member_space(space)
    side = torch.zeros(1, own.observation)
    side[0, -1] = STEEP
    low, high = torch.tensor(first, dtype=torch.float32), torch.tensor(second, dtype=torch.float32)
    layers = ((side, torch.zeros(1)), ((high - low)[:, None] / 2, (low + high) / 2))
    return PolicyNetwork(layers, hidden="tanh", squash="clip")


class OracleState(NamedTuple):
    """What is known of the candidates."""

    totals: Tensor
    """The sum of each candidate's returns over the common episodes."""
    episodes: int
    returns: tuple[float, ...]
    """The best return of each episode."""
    steps: int

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class JointActions:
    """Chooses the best constant joint action of a grid."""

    grid: tuple[tuple[float, ...], ...]
    """What a member can decide: the numbers of an action, in [-1, 1]."""

    def __post_init__(self) -> None:
        if not self.grid:
            raise ConfigError("joint_actions.grid is empty; give at least one action of a member")

    @property
    def candidates(self) -> Sequence[tuple[tuple[float, ...], tuple[float, ...]]]:
        """The actions of both halves of the ranks: equal ones, then every two of the grid."""
        return [*((action, action) for action in self.grid), *combinations(self.grid, 2)]

    def initial(self, task: LearningTask, *, seed: int) -> OracleState:
        return OracleState(torch.zeros(len(self.candidates), dtype=torch.float64), 0, (), 0)

    def improve(self, state: OracleState, task: LearningTask, *, steps: int, seed: int) -> OracleState:
        until = state.steps + steps
        team = task.space.team
        if team is None:
            raise ConfigError(f"seat {task.seat!r} has no team; joint actions are those of a team")
        policies = [TeamPolicy(by_halves(task.space, *each), team) for each in self.candidates]
        while state.steps < until:
            gains, taken = episode_returns(task, policies, numbers=[state.episodes], seed=seed, name=ORACLE)
            state = OracleState(
                state.totals + gains[:, 0],
                state.episodes + 1,
                (*state.returns, float(gains.max())),
                state.steps + taken,
            )
        return state

    def choose(self, state: OracleState, task: LearningTask, *, seed: int) -> OracleState:
        return state

    def policies(self, state: OracleState, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        """Return the network of a member."""
        return {task.seat: by_halves(task.space, *self.candidates[int(state.totals.argmax())])}

    def codec(self, task: LearningTask) -> Codec[OracleState]:
        return Codec(lambda state: pack_fields(state._asdict()), partial(unpack_fields, kind=OracleState))
