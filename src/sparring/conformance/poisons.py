"""Checks of data poisoning attacks."""

from collections.abc import Iterator
from functools import partial

import torch

from sparring.arrays import Batch
from sparring.conformance.check import Check, are_equal, are_finite, is_left_alone
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Poison
from sparring.player_checks import check_batch
from sparring.random import stream

CLASSES = 10


def images() -> Batch:
    """Return three gray images of each class, 28×28 as in MNIST, with pixels in [0, 1]."""
    labels = torch.arange(CLASSES).repeat(3)
    return Batch(torch.linspace(0, 1, len(labels) * 28**2).reshape(-1, 1, 28, 28), labels)


def poisoned(poison: Poison, batch: Batch) -> Batch:
    return check_batch(poison, poison.poison(batch, client=1, rng=stream(0, "poison")), batch=batch)


def the_batch_keeps_its_form(poison: Poison) -> Iterator[str]:
    for name, batch in {"images": images(), "one image": Batch(*(part[:1] for part in images()))}.items():
        if not are_finite(poisoned(poison, batch)):
            yield f"{name}: the inputs are not finite"


def labels_stay_in_range(poison: Poison) -> Iterator[str]:
    labels = poisoned(poison, images()).labels
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= CLASSES:
        yield f"its labels run from {low} to {high}; of {CLASSES} classes they must be 0 to {CLASSES - 1}"


def the_batch_that_it_is_given_is_left_alone(poison: Poison) -> Iterator[str]:
    if not is_left_alone(images(), partial(poisoned, poison)):
        yield "it edits the batch in place; return a copy"


def equal_generators_give_equal_batches(poison: Poison) -> Iterator[str]:
    if not are_equal(poisoned(poison, images()), poisoned(poison, images())):
        yield "the same batch is poisoned in two ways; draw from rng"


POISON_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    the_batch_keeps_its_form,
    labels_stay_in_range,
    the_batch_that_it_is_given_is_left_alone,
    equal_generators_give_equal_batches,
)
