"""One policy that all members of a team share, each at its own rank (parameter sharing of MARL, appendix B.2)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space, Team
from sparring.policies.network import PolicyNetwork

RANK = 1
"""How many numbers a member observes beside the team's observation."""


def present_ranks(observations: Tensor, team: Team) -> Tensor:
    """Return the `[...]` numbers of members that are present in `[..., numbers]` observations of a team."""
    return (observations[..., -1] * team.whole).round().clamp(0, team.ranks).long()


def present_count(observation: FloatArray, team: Team) -> int:
    """Return the number of members that are present in one observation."""
    return int(present_ranks(torch.from_numpy(observation), team))


def rank_inputs(present: Tensor, ranks: int) -> Tensor:
    """Return `[..., ranks]` ranks as members observe them: evenly spaced in (-1, 1), and 0 for absent ones.

    A lone member observes 0.
    """
    rank, count = torch.arange(ranks), present[..., None]
    return torch.where(rank < count, (2 * rank + 1) / count.clamp(min=1) - 1, 0.0)


def member_space(space: Space) -> Space:
    """Return what one member of a team observes, and the numbers that it decides."""
    assert space.team is not None
    return Space(space.observation + RANK, space.action // space.team.ranks, space.is_scaled)


def seat_space(space: Space) -> Space:
    """Return the space of the network that a seat's policy is made of: a member's if the seat is a team's."""
    return space if space.team is None else member_space(space)


@dataclass(frozen=True, eq=False)
class TeamPolicy:
    """A team's policy: the member's network at each rank that is present, and zeros for absent ranks."""

    member: PolicyNetwork
    """Maps the team's observation, followed by the observed rank, to the numbers that one member decides."""
    team: Team

    __repr__ = briefly

    def __call__(self, observations: Tensor) -> Tensor:
        """Return the `[..., actions]` of all ranks for `[..., numbers]` observations."""
        present, ranks = present_ranks(observations, self.team), self.team.ranks
        repeated = observations[..., None, :].expand(*observations.shape[:-1], ranks, -1)
        answers = self.member(torch.cat([repeated, rank_inputs(present, ranks)[..., None]], dim=-1))
        return torch.where((torch.arange(ranks) < present[..., None])[..., None], answers, 0.0).flatten(-2)

    @torch.no_grad()
    def act(self, observation: FloatArray) -> FloatArray:
        seen, present = torch.from_numpy(observation).float(), present_count(observation, self.team)
        actions: FloatArray = self.rows(seen, present).numpy()
        absent = np.zeros((self.team.ranks - present, actions.shape[1]), np.float32)
        return np.concatenate([actions, absent]).ravel()

    def rows(self, observation: Tensor, present: int) -> Tensor:
        """Return the `[present, numbers]` actions of the first ranks."""
        ranks = rank_inputs(torch.tensor(present), present)
        return self.member(torch.cat([observation.expand(present, -1), ranks[:, None]], dim=1))


SeatPolicy = PolicyNetwork | TeamPolicy
"""The policy of a seat: a player's, or a team's."""


def seat_policy(network: PolicyNetwork, space: Space) -> SeatPolicy:
    """Return the policy of a seat whose learner has this network, that of a member if the seat is a team's."""
    return network if space.team is None else TeamPolicy(network, space.team)
