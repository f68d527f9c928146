"""LeNet-5 with ReLU and max pooling (after LeCun et al., 1998)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import ConfigError
from sparring.models.initialization import Initial


@dataclass(frozen=True)
class LeNet:
    """Two 5×5 convolutions (6 and 16 channels), each pooled by 2, and linear layers of 120, 84 and the classes."""

    initial: ClassVar[Initial] = "random"
    paper: ClassVar[str] = (
        "after LeCun et al., 1998, Gradient-based learning applied to document recognition, Proceedings of the IEEE"
    )

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        if len(shape) != 3 or min(shape[1:]) < 12:
            raise ConfigError(f"lenet: inputs of shape {list(shape)}; use images of at least 12×12 pixels")
        flat = 16 * ((shape[1] // 2 - 4) // 2) * ((shape[2] // 2 - 4) // 2)
        return nn.Sequential(
            *(nn.Conv2d(shape[0], 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(flat, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)),
        )
