"""Dirichlet partition: each class is divided in Dirichlet-distributed proportions (Yurochkin et al., 2019)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from sparring.data.partitions.assignment import Partition, check_enough, from_owners, top_up
from sparring.data.random_order import random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator

EVEN = 1e6
"""The largest supported concentration: beyond it proportions are practically equal, and sampling overflows."""


def dirichlet(labels: Tensor, clients: int, *, alpha: float, minimum: int, rng: Generator) -> Partition:
    """Divide each class by Dirichlet(`alpha`) proportions, then move random examples to clients below `minimum`."""
    _check(alpha, minimum)
    check_enough(len(labels), clients, minimum=minimum)
    known = labels.numpy()
    held = np.bincount(known)
    proportions = rng.dirichlet(np.full(clients, alpha), size=len(held))
    # Each class occupies the interval from its label to the next integer, cut at the ends of the clients' parts.
    cuts = np.arange(len(held))[:, None] + proportions.cumsum(axis=1).clip(max=1.0)
    cuts[:, -1] = np.arange(1, len(held) + 1)
    positions = known + (random_ranks(known, rng) + 0.5) / held[known]
    owners = np.searchsorted(cuts.ravel(), positions, side="right") - known * clients
    return from_owners(top_up(owners, clients, minimum=minimum, rng=rng), clients)


def _check(alpha: float, minimum: int) -> None:
    if not 0 < alpha <= EVEN:
        raise ConfigError(f"dirichlet: alpha is {alpha}; it must be above 0 and at most {EVEN:g}")
    if minimum < 1:
        raise ConfigError(f"dirichlet: minimum is {minimum}; it must be at least 1")


@dataclass(frozen=True)
class Dirichlet:
    """Every class divided by Dirichlet(`alpha`) proportions: the smaller `alpha`, the fewer clients hold a class."""

    alpha: float = 0.5
    """The concentration α, above 0 and at most 1e6; a small one gives a class to few clients."""
    minimum: int = 1
    """The fewest examples of a client, at least 1; random examples are moved to clients with fewer."""
    paper: ClassVar[str] = "Yurochkin et al., 2019, Bayesian nonparametric federated learning of neural networks, ICML"

    def __post_init__(self) -> None:
        _check(self.alpha, self.minimum)

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        return dirichlet(labels, clients, alpha=self.alpha, minimum=self.minimum, rng=rng)
