"""The seven-layer network that the multi-agent reinforcement learning attack (MARL) uses on CIFAR-10."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import ConfigError
from sparring.models.initialization import Initial


@dataclass(frozen=True)
class Cnn7:
    """A 3×3 convolution with 30 channels, ReLU, max pooling by 2, 200 ReLU units and a linear layer."""

    initial: ClassVar[Initial] = "random"
    paper: ClassVar[str] = ""

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        if len(shape) != 3 or min(shape[1:]) < 4:
            raise ConfigError(f"cnn7: inputs of shape {list(shape)}; use images of at least 4×4 pixels")
        flat = 30 * ((shape[1] - 2) // 2) * ((shape[2] - 2) // 2)
        return nn.Sequential(
            *(nn.Conv2d(shape[0], 30, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(flat, 200), nn.ReLU(), nn.Linear(200, classes)),
        )
