"""Checks of triggers, on the images that they accept."""

from collections.abc import Iterator

import torch
from torch import Tensor

from sparring.conformance.check import Check, are_equal, are_finite, copies
from sparring.conformance.models import COLOR, GRAY
from sparring.conformance.settings import SETTINGS_CHECKS
from sparring.contracts import Trigger
from sparring.errors import ConfigError


def stamped(trigger: Trigger) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Stamp every accepted kind of image; yield its name, the images and the stamped images."""
    for examples in (GRAY, COLOR):
        images = examples.inputs(4)
        try:
            yield examples.name, images, trigger.stamp(images)
        except ConfigError:
            continue


def it_takes_gray_or_color_images(trigger: Trigger) -> Iterator[str]:
    if not list(stamped(trigger)):
        trigger.stamp(GRAY.inputs(4))
        yield "it rejects every kind of image"


def images_keep_their_form_and_their_range(trigger: Trigger) -> Iterator[str]:
    for name, images, changed in stamped(trigger):
        if (changed.shape, changed.dtype) != (images.shape, images.dtype):
            yield f"{name}: it returns {changed.dtype} of shape {list(changed.shape)}; it must keep the images' form"
        elif not are_finite([changed]) or changed.min() < 0 or changed.max() > 1:
            yield f"{name}: its pixels leave [0, 1]"


def the_images_that_it_is_given_are_left_alone(trigger: Trigger) -> Iterator[str]:
    for name, images, _ in stamped(trigger):
        before = copies([images])
        trigger.stamp(images)
        if not are_equal([images], before):
            yield f"{name}: it edits the images in place; return a copy"


def each_image_is_stamped_the_same_alone_and_again(trigger: Trigger) -> Iterator[str]:
    for name, images, changed in stamped(trigger):
        if not torch.allclose(trigger.stamp(images[:1]), changed[:1], atol=1e-6):
            yield f"{name}: an image is stamped differently when it is alone in its batch"


TRIGGER_CHECKS: tuple[Check, ...] = (
    *SETTINGS_CHECKS,
    it_takes_gray_or_color_images,
    images_keep_their_form_and_their_range,
    the_images_that_it_is_given_are_left_alone,
    each_image_is_stamped_the_same_alone_and_again,
)
