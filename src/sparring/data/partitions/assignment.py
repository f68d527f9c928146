"""A partition of the training examples, and functions that all partitioners share."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.data.random_order import Integers, random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator


class Partition(NamedTuple):
    """An assignment of examples: client k holds `order[offsets[k] : offsets[k + 1]]`; `order` is a permutation."""

    order: Tensor
    offsets: Tensor

    def __repr__(self) -> str:
        return briefly(self)


class Partitioner(Protocol):
    """A rule for dividing examples among clients; its fields are its options."""

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        """Give each example to one client, and at least one example to each client."""


def from_owners(owners: Integers, clients: int) -> Partition:
    """Make a partition from the client that owns each example."""
    offsets = np.zeros(clients + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=clients), out=offsets[1:])
    return Partition(torch.from_numpy(np.argsort(owners, kind="stable")), torch.from_numpy(offsets))


def check_enough(examples: int, clients: int, *, minimum: int = 1) -> None:
    """Reject more clients than can have `minimum` examples each."""
    if clients < 1:
        raise ConfigError(f"clients is {clients}; it must be at least 1")
    if clients * minimum > examples:
        raise ConfigError(
            f"clients is {clients}; with at least {minimum} examples each they need {clients * minimum}, "
            f"and there are {examples}, enough for {examples // minimum}"
        )


def top_up(owners: Integers, clients: int, *, minimum: int, rng: Generator) -> Integers:
    """Move random examples from clients with more than `minimum` until each client has at least `minimum`."""
    lacking = np.maximum(minimum - np.bincount(owners, minlength=clients), 0)
    if not lacking.any():
        return owners
    spare = np.flatnonzero(random_ranks(owners, rng) >= minimum)
    moved = rng.choice(spare, size=lacking.sum(), replace=False)
    filled = owners.copy()
    filled[moved] = np.repeat(np.arange(clients), lacking)
    return filled
