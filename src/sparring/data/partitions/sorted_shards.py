"""Each client gets a few pieces of the examples sorted by label (McMahan et al., 2017)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from sparring.data.partitions.assignment import Partition, check_enough, from_owners
from sparring.data.random_order import random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator


def sorted_shards(labels: Tensor, clients: int, *, per_client: int, rng: Generator) -> Partition:
    """Sort the examples by label, cut them into equal pieces, and give each client `per_client` random pieces."""
    _check(per_client)
    check_enough(len(labels), clients, minimum=per_client)
    pieces = clients * per_client
    known = labels.numpy()
    held = np.bincount(known)
    positions = (held.cumsum() - held)[known] + random_ranks(known, rng)
    owners = rng.permutation(pieces) // per_client
    return from_owners(owners[positions * pieces // len(known)], clients)


def _check(per_client: int) -> None:
    if per_client < 1:
        raise ConfigError(f"shards: per_client is {per_client}; it must be at least 1")


@dataclass(frozen=True)
class SortedShards:
    """`per_client` pieces of the examples sorted by label for each client, so that a client has few labels."""

    per_client: int = 2
    """Pieces of the sorted examples for each client, at least 1."""
    paper: ClassVar[str] = (
        "McMahan et al., 2017, Communication-efficient learning of deep networks from decentralized data, AISTATS"
    )

    def __post_init__(self) -> None:
        _check(self.per_client)

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        return sorted_shards(labels, clients, per_client=self.per_client, rng=rng)
