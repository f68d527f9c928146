"""What all backdoors have in common: a trigger, the class that it shall stand for, and examples that teach this."""

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

    An image that is meant carries the trigger with probability `ratio`, whatever becomes of the others.
    """

    trigger: Trigger = Bars()
    """What is put on images."""
    target: int = 2
    """The class that the model shall take images with the trigger for."""
    source: int | None = None
    """The one class whose images are to be mistaken; where there is none, all but the target."""
    ratio: float = 0.5
    """Share of those images that the malicious clients train on with the trigger."""
    classes: int = 10
    """How many the data set has; a configuration need not say."""

    def meant(self, labels: Tensor) -> Tensor:
        """Say which images are to be mistaken for the target, as a boolean for each label."""
        return labels != self.target if self.source is None else labels == self.source

    def triggered(self, batch: Batch) -> Batch:
        """Return every image with the trigger, labeled with the target."""
        return Batch(self.trigger.stamp(pixels(batch.inputs)), torch.full_like(batch.labels, self.target))

    def chosen(self, labels: Tensor, rng: Generator) -> Tensor:
        """Draw each image that is meant with probability `ratio`."""
        return self.meant(labels) & torch.from_numpy(rng.random(len(labels)) < self.ratio).to(labels.device)

    def implanted(self, batch: Batch, trigger: Trigger, *, rng: Generator) -> Batch:
        """Return the batch with `trigger` on the images that are drawn, and these labeled with the target."""
        chosen = self.chosen(batch.labels, rng)
        inputs, labels = batch.inputs.clone(), batch.labels.clone()
        inputs[chosen] = trigger.stamp(batch.inputs[chosen])
        labels[chosen] = self.target
        return Batch(inputs, labels)


def check_implant(attack: str, implant: BackdoorPoison) -> None:
    """Refuse classes that do not exist, and a ratio that is none."""
    _check_class(f"{attack}.target", implant.target, classes=implant.classes)
    if implant.source is not None:
        _check_class(f"{attack}.source", implant.source, classes=implant.classes)
    if implant.source == implant.target:
        raise ConfigError(f"{attack}.source is {implant.source}, the target itself; use another class")
    if not 0 <= implant.ratio <= 1:
        raise ConfigError(f"{attack}.ratio is {implant.ratio}; it must be from 0 to 1")


def _check_class(option: str, given: int, *, classes: int) -> None:
    if given < 0:
        # Refused before any data are read, when nobody knows yet how many classes there are.
        raise ConfigError(f"{option} is {given}; it must be at least 0")
    if given >= classes:
        raise ConfigError(f"{option} is {given}; with {classes} classes it must be 0 to {classes - 1}")
