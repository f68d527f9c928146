"""Learned trigger (Doan et al., 2021): a small network, read from a file, that is hard to see and hard to resist."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from sparring.attacks.backdoor.triggers.trigger_network import TriggerNetwork, load_trigger
from sparring.registry import Stored


@dataclass(frozen=True)
class LearnedTrigger:
    """Change every image by a network that was trained together with a classifier.

    `train_trigger` trains one and `save_trigger` writes the file, which is read when the first image is stamped.
    """

    file: Annotated[str, Stored()]
    """Path of the trigger network, in the safetensors format."""
    paper: ClassVar[str] = "Doan et al., 2021, LIRA: learnable, imperceptible and robust backdoor attacks, ICCV"

    @cached_property
    def network(self) -> TriggerNetwork:
        """The trigger network in the file."""
        return load_trigger(self.file)

    @torch.no_grad()
    def stamp(self, images: Tensor) -> Tensor:
        return self.network.stamp(images)
