"""Checks of partitions of examples among clients."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from sparring.arrays import Batch
from sparring.conformance.check import Check, are_equal, copies, name_case
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.data import ClientShards, Partition, Partitioner
from sparring.errors import ConfigError, DataError
from sparring.random import stream

BALANCED = torch.arange(500) % 10

SHARED: Mapping[str, tuple[Tensor, int]] = {
    "ten classes, 20 clients": (BALANCED, 20),
    "one client": (BALANCED, 1),
    "one class": (torch.zeros(60, dtype=torch.int64), 7),
    "two rare classes": (torch.tensor([0] * 98 + [5, 9]), 30),
    "a class that nobody has": (2 * (torch.arange(60) % 3), 8),
    "few examples a client": (torch.arange(80) % 4, 20),
}
"""Labels, and the number of clients among which they are divided."""


def assigned(partitioner: Partitioner, labels: Tensor, *, clients: int) -> Partition:
    """Return a partition of a copy of the labels, which may be modified."""
    return partitioner.assign(labels.clone(), clients, rng=stream(0, "partition"))


def every_example_has_one_owner_and_every_client_an_example(partitioner: Partitioner) -> Iterator[str]:
    for name, (labels, clients) in SHARED.items():
        with name_case(name):
            partition = assigned(partitioner, labels, clients=clients)
        try:
            held = len(ClientShards(Batch(labels[:, None].float(), labels), partition))
        except DataError as error:
            yield f"{name}: {error}"
            continue
        if held != clients:
            yield f"{name}: {held} clients hold examples"


def it_depends_on_its_generator_alone(partitioner: Partitioner) -> Iterator[str]:
    if not are_equal(assigned(partitioner, BALANCED, clients=20), assigned(partitioner, BALANCED, clients=20)):
        yield "equal generators give different partitions; draw from rng"


def the_labels_are_left_alone(partitioner: Partitioner) -> Iterator[str]:
    labels = BALANCED.clone()
    before = copies([labels])
    partitioner.assign(labels, 20, rng=stream(0, "partition"))
    if not are_equal([labels], before):
        yield "it edits the labels in place"


def counts_that_cannot_be_are_refused(partitioner: Partitioner) -> Iterator[str]:
    for clients in (-1, 0, len(BALANCED) + 1):
        try:
            assigned(partitioner, BALANCED, clients=clients)
        except ConfigError:
            continue
        yield f"{clients} clients for {len(BALANCED)} examples raise no ConfigError"


PARTITION_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    every_example_has_one_owner_and_every_client_an_example,
    it_depends_on_its_generator_alone,
    the_labels_are_left_alone,
    counts_that_cannot_be_are_refused,
)
