"""Groups of clients that each prefer one label (Fang et al., 2020)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from sparring.data.partitions.assignment import Partition, check_enough, from_owners, top_up
from sparring.data.random_order import Integers, random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator


def label_skew(labels: Tensor, clients: int, *, q: float, rng: Generator) -> Partition:
    """Assign an example to the group of its label with probability `q`, else to any other, then to a client in it.

    There are as many groups as classes, or as clients if these are fewer: then labels share groups, modulo their
    number. Client k is in group k modulo the number of groups, so that consecutive clients spread evenly over them.
    """
    _check(q)
    check_enough(len(labels), clients)
    preferred = labels.numpy()
    groups = min(int(preferred.max()) + 1, clients)
    chosen = _groups(preferred % groups, groups, q=q, rng=rng)
    members = (clients - 1 - np.arange(groups)) // groups + 1
    owners = chosen + groups * (random_ranks(chosen, rng) % members[chosen])
    return from_owners(top_up(owners, clients, minimum=1, rng=rng), clients)


def _groups(own: Integers, groups: int, *, q: float, rng: Generator) -> Integers:
    strays = rng.random(len(own)) >= q
    distance = rng.integers(1, max(groups, 2), len(own))
    return np.where(strays, (own + distance) % groups, own)


def _check(q: float) -> None:
    if not 0 <= q <= 1:
        raise ConfigError(f"label_skew: q is {q}; it must be 0 to 1")


@dataclass(frozen=True)
class LabelSkew:
    """Groups of clients that prefer one label with probability `q`; 1 / classes means no preference."""

    q: float = 0.5
    """The probability that an example goes to the group of its label, from 0 to 1."""
    paper: ClassVar[str] = (
        "Fang et al., 2020, Local model poisoning attacks to Byzantine-robust federated learning, USENIX Security"
    )

    def __post_init__(self) -> None:
        _check(self.q)

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        return label_skew(labels, clients, q=self.q, rng=rng)
