"""Batch-wise reconstruction of images from estimated gradients, resumable after each batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from sparring.arrays import Batch, pixels
from sparring.contracts import Model, Network
from sparring.errors import ConfigError
from sparring.inversion import GradientInversion, Reconstruction, invert, mean_answers
from sparring.learning.calls import Calls, call_in_turn
from sparring.learning.distribution.leaked_gradients import EstimatedGradient
from sparring.random import stream
from sparring.registry import described_options
from sparring.snapshot import Snapshot
from sparring.validation import check_at_least_one


class InversionTask(NamedTuple):
    """All inputs of one batch's inversion."""

    network: Network
    own: Batch
    leak: EstimatedGradient
    search: GradientInversion
    origin: tuple[int, int]
    """The seed, and the index of the batch."""


LAPTOP = GradientInversion(images=32)
"""Settings that take seconds per batch; the papers' settings are `MSG` and `MARL` of the inversion."""


@dataclass(frozen=True)
class DistributionLearning:
    """How many gradients are inverted, each as one batch, and how; the defaults take minutes on a laptop."""

    search: GradientInversion = LAPTOP
    batches: int = 20
    """Maximum number of batches; of more gradients the first are used."""
    calls: Calls = call_in_turn
    """How batches are inverted: in this process, or in several. What is found does not depend on it."""

    def __post_init__(self) -> None:
        check_at_least_one("distribution", batches=self.batches)

    def reconstruct(
        self,
        network: Network,
        leaks: Sequence[EstimatedGradient],
        *,
        own: Batch,
        seed: int,
        start: Snapshot | None = None,
    ) -> Iterator[Snapshot]:
        """Yield everything reconstructed so far after each batch; continue after that of `start`, if given.

        `own` are the attackers' examples, from which the models' mean output for each class is computed.
        """
        origin = {"seed": seed, "search": described_options(self.search)}
        packed = _empty_snapshot(own, origin) if start is None else _check_origin(start, origin)
        batches = list(enumerate(leaks))[: self.batches]
        tasks = [InversionTask(network, own, leak, self.search, (seed, index)) for index, leak in batches]
        for found in self.calls(_invert, tasks[len(packed.numbers["notes"]) :]):
            packed = _append(packed, found)
            yield packed


def reconstructed(packed: Snapshot) -> Batch:
    """Return the images of a snapshot, each with its most likely label."""
    return Batch(packed.tensors["inputs"], packed.tensors["labels"].argmax(dim=1))


def _invert(task: InversionTask) -> Reconstruction:
    model = Model(task.network, task.leak.parameters)
    return invert(
        model,
        task.leak.gradient,
        shape=task.own.inputs.shape[1:],
        rng=stream(task.origin[0], "inversion", task.origin[1]),
        answers=mean_answers(model, task.own),
        search=task.search,
    )


def _empty_snapshot(own: Batch, origin: dict[str, Any]) -> Snapshot:
    tensors = {"inputs": torch.empty(0, *own.inputs.shape[1:]), "labels": torch.empty(0), "distances": torch.empty(0)}
    return Snapshot(tensors, {**origin, "notes": []})


def _check_origin(start: Snapshot, origin: dict[str, Any]) -> Snapshot:
    for name, given in origin.items():
        if start.numbers[name] != given:
            raise ConfigError(f"distribution: the start has {name} {start.numbers[name]}; use that, not {given}")
    return start


def _append(packed: Snapshot, found: Reconstruction) -> Snapshot:
    """Return a new snapshot with one more batch."""
    new = {"inputs": found.inputs, "labels": found.labels, "distances": torch.tensor([found.distance])}
    joined = {name: torch.cat([packed.tensors[name], rows]) for name, rows in new.items()}
    return Snapshot(joined, {**packed.numbers, "notes": [*packed.numbers["notes"], found.note]})


def learned_mixture(reconstructed: Batch, own: Batch) -> Batch:
    """Return the reconstructed images with their labels, and the attackers' own examples, pixels in [0, 1]."""
    inputs = torch.cat([pixels(reconstructed.inputs), pixels(own.inputs)])
    return Batch(inputs, torch.cat([reconstructed.labels, own.labels]))
