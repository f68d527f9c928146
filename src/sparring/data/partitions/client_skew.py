"""Client skew: every client prefers one label, in shards of equal size."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.partitions.assignment import Partition, check_enough, from_owners
from sparring.data.random_order import Integers, random_ranks
from sparring.errors import ConfigError
from sparring.random import Generator


def client_skew(labels: Tensor, clients: int, *, main_label_probability: float, rng: Generator) -> Partition:
    """Fill each slot of a shard with the client's main label with this probability, else with any label.

    Client k's main label is k modulo the number of classes; shard sizes differ by at most one. Main labels are assigned
    first: if more are requested than exist, random slots get them and the others get any label. "Any" is a random one
    of the remaining examples, so that every example goes to exactly one client.
    """
    _check(main_label_probability)
    check_enough(len(labels), clients)
    known = labels.numpy()
    classes = int(known.max()) + 1
    holders = rng.permutation(len(known)) % clients
    wanted = np.where(rng.random(len(known)) < main_label_probability, holders % classes, classes)
    is_served = random_ranks(wanted, rng) < np.bincount(known, minlength=classes + 1)[wanted]
    is_taken = random_ranks(known, rng) < np.bincount(wanted, minlength=classes + 1)[known]
    owners = np.empty_like(known)
    owners[_by_label(known, is_taken)] = holders[_by_label(wanted, is_served)]
    owners[rng.permutation(np.flatnonzero(~is_taken))] = holders[~is_served]
    return from_owners(owners, clients)


def _by_label(labels: Integers, chosen: NDArray[np.bool_]) -> Integers:
    """Return the chosen positions, grouped by label."""
    positions = np.flatnonzero(chosen)
    return positions[np.argsort(labels[positions], kind="stable")]


def _check(main_label_probability: float) -> None:
    if not 0 <= main_label_probability <= 1:
        raise ConfigError(f"client_skew: main_label_probability is {main_label_probability}; it must be 0 to 1")


@dataclass(frozen=True)
class ClientSkew:
    """Every client gets its own main label with probability `main_label_probability`, else any label."""

    main_label_probability: float = 0.5
    """The probability that an example of a client has the client's main label, from 0 to 1; 0 is no preference."""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        _check(self.main_label_probability)

    def assign(self, labels: Tensor, clients: int, *, rng: Generator) -> Partition:
        return client_skew(labels, clients, main_label_probability=self.main_label_probability, rng=rng)
