"""The training examples of each client, and the minibatches drawn from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Batch, briefly, move_tensors, on_device, pixels
from sparring.data.partitions.assignment import Partition, Partitioner
from sparring.errors import ConfigError, DataError, PluginError
from sparring.random import Generator, stream
from sparring.validation import check_batch, check_counts, check_kind, check_player

FEW = 1024
"""Shared examples up to this number are scaled to [0, 1] once, not in each draw: a learned mixture, in its world."""


@dataclass(frozen=True, eq=False)
class ClientShards:
    """The training examples divided by a partition; returned inputs have pixels in [0, 1]."""

    train: Batch
    partition: Partition
    readable: frozenset[int] | None = None
    """The clients whose shards may be read; None means all."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_batch("shards: train", self.train, example="data.train")
        remedy = "use divide(data.train, Iid(), clients=..., seed=...)"
        check_kind("shards: partition", self.partition, kind=Partition, remedy=remedy)
        order, offsets = self.partition
        examples = len(self.train.labels)
        if len(order) != examples or order.min() < 0 or (order.bincount(minlength=examples) != 1).any():
            raise DataError(f"partition: its order of {len(order)} must be a permutation of the {examples} examples")
        if offsets[0] != 0 or offsets[-1] != examples or (offsets.diff() < 1).any():
            raise DataError(f"partition: its offsets must rise from 0 to {examples}, by at least 1 for each client")

    def __len__(self) -> int:
        return len(self.partition.offsets) - 1

    def __getitem__(self, client: int) -> Batch:
        start, stop = self._bounds(client)
        return self._gather(self.partition.order[start:stop])

    def held(self, client: int) -> int:
        """Return how many examples a client holds."""
        start, stop = self._bounds(client)
        return stop - start

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        indices = np.empty((len(clients), steps, size), dtype=np.int64)
        for row, client, rng in zip(indices, clients, rngs, strict=True):
            start, stop = self._bounds(client)
            held = stop - start
            for step in range(steps):
                row[step] = start + rng.choice(held, size, replace=size > held)
        drawn = self._gather(self.partition.order[torch.from_numpy(indices).flatten()])
        shape = indices.shape
        return Batch(drawn.inputs.unflatten(0, shape), drawn.labels.unflatten(0, shape))

    def to(self, device: torch.device | str) -> "ClientShards":
        """Return the same shards with their examples on a device; the partition stays in main memory."""
        return replace(self, train=on_device(self.train, device))

    def shared(self, size: int) -> "CommonShards":
        """Return shards that all hold the same examples, spaced evenly over all readable examples."""
        clients = range(len(self)) if self.readable is None else sorted(self.readable)
        held = torch.cat([self.partition.order[slice(*self._bounds(client))] for client in clients])
        return CommonShards(self._gather(held[spread(len(held), size)]), len(self))

    def restricted(self, clients: Iterable[int]) -> "ClientShards":
        """Return the same shards, of which only those of `clients` may be read."""
        allowed = frozenset(clients)
        for client in allowed:
            self._bounds(client)
        return replace(self, readable=allowed)

    def _bounds(self, client: int) -> tuple[int, int]:
        if self.readable is not None and client not in self.readable:
            allowed = ", ".join(map(str, sorted(self.readable))) or "none"
            raise PluginError(f"shards: this player may not read client {client}; it may read {allowed}")
        if not 0 <= client < len(self):
            raise ConfigError(f"shards: there is no client {client}; there are {len(self)}, from 0")
        offsets = self.partition.offsets.numpy()  # single items are read ten times faster than from a tensor
        return int(offsets[client]), int(offsets[client + 1])

    def _gather(self, examples: Tensor) -> Batch:
        inputs, labels = self.train
        examples = examples.to(labels.device)
        return Batch(pixels(inputs.index_select(0, examples)), labels.index_select(0, examples))


@dataclass(frozen=True, eq=False)
class CommonShards:
    """The same examples for each of `clients`: without knowledge of the partition, all draw from the mixture.

    Draws are independent, as in a world model (Li et al., 2022, section 4.3).
    """

    examples: Batch
    clients: int

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_batch("shards: examples", self.examples, example="data.train")
        check_counts("shards", clients=self.clients)
        if len(self.examples.labels) == 0:
            raise DataError("shards: there are no examples to share; give at least 1")

    def __len__(self) -> int:
        return self.clients

    def __getitem__(self, client: int) -> Batch:
        return Batch(pixels(self.examples.inputs), self.examples.labels)

    def held(self, client: int) -> int:
        """Return how many examples a client holds."""
        return len(self.examples.labels)

    def to(self, device: torch.device | str) -> "CommonShards":
        """Return the same shards on a device."""
        return move_tensors(self, device)

    def draw(self, clients: Sequence[int], rngs: Sequence[Generator], *, steps: int, size: int) -> Batch:
        held = len(self.examples.labels)
        chosen = torch.from_numpy(np.stack([rng.integers(held, size=(steps, size)) for rng in rngs]))
        inputs, labels = self._scaled if held <= FEW else self.examples
        shape, rows = chosen.shape, chosen.flatten().to(labels.device)
        # Selected by one index, rows are copied ten times faster than by a tensor of indices with more dimensions.
        drawn = Batch(pixels(inputs.index_select(0, rows)), labels.index_select(0, rows))
        return Batch(drawn.inputs.unflatten(0, shape), drawn.labels.unflatten(0, shape))

    @cached_property
    def _scaled(self) -> Batch:
        return self[0]

    def shared(self, size: int) -> "CommonShards":
        """Return shards that all hold the same examples, spaced evenly over the present ones."""
        chosen = spread(len(self.examples.labels), size)
        return replace(self, examples=Batch(*(part[chosen] for part in self.examples)))

    def restricted(self, clients: Iterable[int]) -> "CommonShards":
        """Return the same shards: examples shared by all may be read by all."""
        return self


def spread(count: int, size: int) -> Tensor:
    """Return `size` indices from 0 to `count`, spaced as evenly as possible; all indices if `size` is larger."""
    chosen = min(size, count)
    return torch.arange(chosen) * count // max(1, chosen)


def draw_examples(examples: Batch, size: int, *, rng: Generator) -> Batch:
    """Return `size` random examples, or all if there are no more."""
    count = len(examples.labels)
    chosen = torch.from_numpy(rng.choice(count, min(size, count), replace=False)).to(examples.labels.device)
    return Batch(examples.inputs[chosen], examples.labels[chosen])


def divide(train: Batch, partitioner: Partitioner, *, clients: int, seed: int) -> ClientShards:
    """Divide the training examples among `clients`; equal seeds give equal shards."""
    check_batch("divide: train", train, example="data.train")
    check_player("divide: partitioner", partitioner, verb="assign")
    check_counts("divide", clients=clients, seed=seed)
    partition = partitioner.assign(train.labels, clients, rng=stream(seed, "partition"))
    if not isinstance(partition, Partition):
        name, given = type(partitioner).__name__, type(partition).__name__
        raise PluginError(f"partition {name} assigned {given}; it must assign a Partition")
    return ClientShards(train, partition)
