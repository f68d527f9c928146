"""The timed federations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch

from sparring.arrays import Batch
from sparring.contracts import Backend, Recipe
from sparring.data import ClientShards, Dataset, Iid
from sparring.defenses import Mean
from sparring.federation import Federation, Scenario, Threat
from sparring.models import Architecture, Cnn, Cnn7, LeNet, Mlp, network
from sparring.random import stream


class Workload(NamedTuple):
    """A model, the shape of an image, the numbers of clients and sampled clients, the batch size, and all examples."""

    model: Architecture
    shape: tuple[int, ...]
    clients: int
    sampled: int
    batch: int
    examples: int = 60_000


WORKLOADS: Mapping[str, Workload] = {
    "cnn 64, 10 of 100 × 128": Workload(Cnn(width=64), (1, 28, 28), 100, 10, 128),
    "mlp 100, 200 of 1000 × 8": Workload(Mlp(hidden=100), (1, 28, 28), 1000, 200, 8),
    "lenet, 10 of 50 × 32": Workload(LeNet(), (1, 28, 28), 50, 10, 32),
    "cnn 16, 10 of 100 × 32": Workload(Cnn(width=16), (1, 28, 28), 100, 10, 32),
    "cnn7, 10 of 100 × 32": Workload(Cnn7(), (3, 32, 32), 100, 10, 32),
}
"""The first two are the papers' settings; the images are random bytes, since timing does not depend on them."""


def scenario(workload: Workload) -> Scenario:
    """Return the workload without attack, with FedAvg and the default backend."""
    model, shape, clients, sampled, batch, examples = workload
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (examples, *shape), dtype=torch.uint8, generator=rng)
    train = Batch(images, torch.randint(10, (examples,), generator=rng))
    mean, std = (0.5,) * shape[0], (0.3,) * shape[0]
    data = Dataset(name="bytes", train=train, test=train, classes=10, mean=mean, std=std)
    federation = Federation(
        network=network(model, data),
        shards=ClientShards(train, Iid().assign(train.labels, clients, rng=stream(0, "partition"))),
        test=train,
        sampled=sampled,
        recipe=Recipe(steps=1, batch=batch, lr=0.05),
    )
    return Scenario(federation, Mean(), threat=Threat(assumed_malicious=0.0))


def on_backend(scenario: Scenario, backend: Backend) -> Scenario:
    """Return the same scenario on another backend."""
    return replace(scenario, federation=replace(scenario.federation, backend=backend))
