"""What all backdoors share: a trigger, a target class, and training examples that link the two."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.arrays import Batch, pixels
from sparring.attacks.backdoor.triggers.bars import Bars
from sparring.contracts import Trigger
from sparring.errors import ConfigError
from sparring.random import Generator


@dataclass(frozen=True)
class BackdoorPoison:
    """The data side of a backdoor: images with a trigger, labeled with the target class.

    Each eligible image gets the trigger with probability `ratio`, independently of the other images.
    """

    trigger: Trigger = Bars()
    """The trigger applied to images."""
    target: int = 2
    """The class that the model should predict for images with the trigger."""
    source: int | None = None
    """The one class whose images should be misclassified; null means all classes but the target."""
    ratio: float = 0.5
    """Fraction of the eligible training images that get the trigger on malicious clients."""
    classes: int = 10
    """Number of classes of the data set; filled in by the configuration."""

    def meant(self, labels: Tensor) -> Tensor:
        """Return a boolean per label: whether images of this class should be misclassified as the target."""
        return labels != self.target if self.source is None else labels == self.source

    def triggered(self, batch: Batch) -> Batch:
        """Return every image with the trigger, labeled with the target."""
        return Batch(self.trigger.stamp(pixels(batch.inputs)), torch.full_like(batch.labels, self.target))

    def chosen(self, labels: Tensor, rng: Generator) -> Tensor:
        """Draw each eligible image with probability `ratio`; return a boolean per label."""
        return self.meant(labels) & torch.from_numpy(rng.random(len(labels)) < self.ratio).to(labels.device)

    def implanted(self, batch: Batch, trigger: Trigger, *, rng: Generator) -> Batch:
        """Return the batch in which the drawn images have the trigger and the target label."""
        chosen = self.chosen(batch.labels, rng)
        inputs, labels = batch.inputs.clone(), batch.labels.clone()
        inputs[chosen] = trigger.stamp(batch.inputs[chosen])
        labels[chosen] = self.target
        return Batch(inputs, labels)


def check_implant(attack: str, implant: BackdoorPoison) -> None:
    """Reject classes that do not exist, and a ratio outside [0, 1]."""
    _check_class(f"{attack}.target", implant.target, classes=implant.classes)
    if implant.source is not None:
        _check_class(f"{attack}.source", implant.source, classes=implant.classes)
    if implant.source == implant.target:
        raise ConfigError(f"{attack}.source is {implant.source}, the target itself; use another class")
    if not 0 <= implant.ratio <= 1:
        raise ConfigError(f"{attack}.ratio is {implant.ratio}; it must be from 0 to 1")


def _check_class(option: str, given: int, *, classes: int) -> None:
    if given < 0:
        # Rejected before any data are read, when the number of classes is still unknown.
        raise ConfigError(f"{option} is {given}; it must be at least 0")
    if given >= classes:
        raise ConfigError(f"{option} is {given}; with {classes} classes it must be 0 to {classes - 1}")
