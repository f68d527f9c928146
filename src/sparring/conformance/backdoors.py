"""Checks of data poisoning attacks with a trigger."""

from collections.abc import Iterator

import torch

from sparring.arrays import Batch
from sparring.conformance.check import Check, are_finite, is_left_alone
from sparring.conformance.models import GRAY
from sparring.contracts import Backdoor
from sparring.player_checks import check_batch, check_meant

CLASSES = GRAY.classes


def images() -> Batch:
    """Return two images of each class."""
    labels = torch.arange(CLASSES).repeat(2)
    return Batch(GRAY.inputs(len(labels)), labels)


def triggered(backdoor: Backdoor) -> Batch:
    batch = images()
    return check_batch(backdoor, backdoor.triggered(batch), batch=batch)


def triggered_images_are_labeled_with_the_target(backdoor: Backdoor) -> Iterator[str]:
    if not (triggered(backdoor).labels == backdoor.target).all():
        yield f"a triggered image has a label other than the target, {backdoor.target}"


def triggered_images_have_their_pixels_in_range(backdoor: Backdoor) -> Iterator[str]:
    inputs = triggered(backdoor).inputs
    if not are_finite([inputs]) or inputs.min() < 0 or inputs.max() > 1:
        yield "the pixels of triggered images leave [0, 1]"


def it_is_meant_for_some_class_and_never_for_the_target(backdoor: Backdoor) -> Iterator[str]:
    labels = torch.arange(CLASSES)
    meant = check_meant(backdoor, backdoor.meant(labels), labels=labels)
    if not meant.any():
        yield f"it is meant for no class of {CLASSES}"
    if backdoor.target < CLASSES and meant[backdoor.target]:
        yield "it is meant for images of the target class, which are classified as the target anyway"


def the_images_that_get_a_trigger_are_left_alone(backdoor: Backdoor) -> Iterator[str]:
    if not is_left_alone(images(), backdoor.triggered):
        yield "it edits the images in place; return a copy"


BACKDOOR_CHECKS: tuple[Check, ...] = (
    triggered_images_are_labeled_with_the_target,
    triggered_images_have_their_pixels_in_range,
    it_is_meant_for_some_class_and_never_for_the_target,
    the_images_that_get_a_trigger_are_left_alone,
)
