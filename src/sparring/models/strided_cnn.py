"""Strided convolutions and one hidden layer: the networks of recursive reasoning (R2T2)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import ConfigError
from sparring.models.convolution import Convolution
from sparring.models.initialization import Initial


@dataclass(frozen=True)
class StridedCnn:
    """Strided convolutions with ReLU, average pooling, `hidden` ReLU units and a linear layer.

    R2T2 states channels, pooling, hidden units and the strides for ImageNet; kernels, other strides and paddings are
    chosen so that there are as many parameters as it says. The defaults are its network for MNIST, with 92 330
    parameters. That for CIFAR-10 has `channels` [128, 128, 512], `kernel` 3, `strides` [2, 2, 2], `pool` 3 and 256
    hidden units: 875 402. That for two classes of ImageNet has `channels` [64, 64, 64, 512], `strides` [4, 3, 2, 1],
    `padding` 2, `pool` 7 and 128 hidden units: 1 095 426. That for 1 against 7 in its figure 6 has `channels` [16, 16],
    `kernel` 3 and 32 hidden units.
    """

    initial: ClassVar[Initial] = "random"
    channels: tuple[int, ...] = (16, 64)
    """Channels of each convolution, at least 1."""
    kernel: int = 5
    """The side of all kernels, at least 1."""
    strides: tuple[int, ...] = (2, 2)
    """The stride of each convolution, at least 1."""
    padding: int = 0
    """Zeros around the input of each convolution, at least 0."""
    pool: int = 1
    """The side of the squares that are averaged after the last convolution; 1 averages nothing."""
    hidden: int = 64
    """Units of the hidden layer, at least 1."""
    paper: ClassVar[str] = (
        "Chen et al., 2023, Recursive reasoning-based training-time adversarial machine learning, "
        "Artificial Intelligence 315"
    )

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.strides) or not self.channels:
            raise ConfigError(
                f"strided_cnn has {len(self.channels)} channels and {len(self.strides)} strides; give one of each for "
                "every convolution"
            )
        least = {"channels": 1, "kernel": 1, "strides": 1, "padding": 0, "pool": 1, "hidden": 1}
        for name, low in least.items():
            given = getattr(self, name)
            if min(given if isinstance(given, tuple) else (given,)) < low:
                raise ConfigError(f"strided_cnn.{name} is {given}; it must be at least {low}")

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        if len(shape) != 3:
            raise ConfigError(f"strided_cnn: inputs of shape {list(shape)}; use images of at least {self._least()}")
        sides = tuple(map(self._left, shape[1:]))
        if min(sides) < 1:
            raise ConfigError(f"strided_cnn: inputs of shape {list(shape)}; use images of at least {self._least()}")
        layers: list[nn.Module] = []
        before = shape[0]
        for width, stride in zip(self.channels, self.strides, strict=True):
            layers += [Convolution(before, width, kernel=self.kernel, stride=stride, padding=self.padding), nn.ReLU()]
            before = width
        pooling = [nn.AvgPool2d(self.pool)] if self.pool > 1 else []
        flat = before * sides[0] * sides[1]
        return nn.Sequential(
            *layers,
            *(*pooling, nn.Flatten()),
            *(nn.Linear(flat, self.hidden), nn.ReLU(), nn.Linear(self.hidden, classes)),
        )

    def _left(self, side: int) -> int:
        """Return what the convolutions and the pooling leave of an image's side; 0 if it is too small."""
        for stride in self.strides:
            side = max(0, (side + 2 * self.padding - self.kernel) // stride + 1)
        return side // self.pool

    def _least(self) -> str:
        """Return the smallest images."""
        side = self.pool
        for stride in reversed(self.strides):
            side = max(1, (side - 1) * stride + self.kernel - 2 * self.padding)
        return f"{side}×{side} pixels"
