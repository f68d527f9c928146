"""A trigger that is a small network: it changes every pixel of an image a little, and each image in another way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.models.initialization import draw_weights
from sparring.models.tensor_file import read_tensors, refusing_others, write_tensors
from sparring.random import Generator

KIND = "trigger"


@dataclass(frozen=True, eq=False)
class TriggerNetwork:
    """The map x + ε · tanh(g(x)), cut off at black and white (Doan et al., 2021): no pixel changes by more than ε.

    g is three 3×3 convolutions with `width` channels between them; it is made for images of one shape.
    """

    module: nn.Module
    shape: tuple[int, int, int]
    """Channels, height and width of the images."""
    epsilon: float
    width: int

    __repr__ = briefly

    def stamp(self, images: Tensor) -> Tensor:
        if tuple(images.shape[1:]) != self.shape:
            raise ConfigError(
                f"trigger learned: it was made for images of shape {list(self.shape)}, "
                f"not {list(images.shape[1:])}; train one for these"
            )
        # The network stays in main memory, and follows the images.
        weights = {name: tensor.to(images.device) for name, tensor in self.module.named_parameters()}
        changed: Tensor = images + self.epsilon * torch.tanh(functional_call(self.module, weights, (images,)))
        return changed.clamp(0, 1)


def untrained(shape: tuple[int, int, int], *, epsilon: float, width: int, rng: Generator) -> TriggerNetwork:
    """Return a network with random weights."""
    module = _convolutions(shape[0], width)
    draw_weights(module, rng)
    return TriggerNetwork(module, shape, epsilon, width)


def save_trigger(path: str | Path, trigger: TriggerNetwork) -> None:
    """Write a network into a file in the safetensors format."""
    described = {"shape": trigger.shape, "epsilon": trigger.epsilon, "width": trigger.width}
    write_tensors(path, KIND, described=described, tensors=trigger.module.state_dict())


def load_trigger(path: str | Path) -> TriggerNetwork:
    """Read a network that `save_trigger` wrote."""
    with refusing_others("trigger.file", path, holds="learned trigger", remedy="write one with save_trigger"):
        return _restored(*read_tensors(path, KIND))


def _restored(described: dict[str, Any], tensors: dict[str, Tensor]) -> TriggerNetwork:
    channels, height, width = described["shape"]
    module = _convolutions(channels, described["width"])
    module.load_state_dict(tensors, assign=True)
    module.requires_grad_(False)
    return TriggerNetwork(module, (channels, height, width), described["epsilon"], described["width"])


def _convolutions(channels: int, width: int) -> nn.Module:
    """Return g without any numbers: making them would draw from torch's global generator."""
    with torch.device("meta"):
        return nn.Sequential(
            *(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()),
            nn.Conv2d(width, channels, 3, padding=1),
        )
