"""Policies for a search over teams: any small policy of the team's observation, and a part that rises with the rank."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.contracts import Space
from sparring.learning.search import PolicyFamily
from sparring.policies.encoder import RankEncoder
from sparring.policies.network import PolicyNetwork
from sparring.policies.team import RANK


@dataclass(frozen=True)
class RankedPolicies:
    """Members' policies: those of a family on what the team observes, whose first layer also sees the rank.

    A rank is observed in (-1, 1). With constant actions this is a line in the rank; with a table of counts, one line
    for each count, all with the same slope.
    """

    family: PolicyFamily

    def size(self, space: Space) -> int:
        inner = _without_rank(space)
        return self.family.size(inner) + self._slopes(inner)

    def policy(self, numbers: Tensor, space: Space) -> PolicyNetwork:
        inner = _without_rank(space)
        own, slopes = numbers.split([self.family.size(inner), self._slopes(inner)])
        network = self.family.policy(own, inner)
        (weight, bias), *rest = network.layers
        first = (torch.cat([weight, slopes.float()[:, None]], dim=1), bias)
        encoder = None if network.encoder is None else RankEncoder(network.encoder)
        return PolicyNetwork((first, *rest), network.hidden, network.squash, encoder)

    def _slopes(self, inner: Space) -> int:
        """Return how many numbers the first layer puts out."""
        network = self.family.policy(torch.zeros(self.family.size(inner), dtype=torch.float64), inner)
        return len(network.layers[0][1])


def _without_rank(space: Space) -> Space:
    return space._replace(observation=space.observation - RANK)
