"""IID partition: every client draws from the same distribution."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.data.partitions.assignment import Partition, check_enough, from_owners
from sparring.random import Generator


def iid(labels: Tensor, clients: int, *, rng: Generator) -> Partition:
    """Distribute all examples at random, so that shard sizes differ by at most one."""
    check_enough(len(labels), clients)
    return from_owners(rng.permutation(len(labels)) % clients, clients)


@dataclass(frozen=True)
class Iid:
    """Every client draws from the same distribution."""

    paper: ClassVar[str] = ""

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        return iid(labels, clients, rng=rng)
