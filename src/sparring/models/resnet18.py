"""ResNet-18 for small images (He et al., 2016)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn.functional import relu

from sparring.errors import ConfigError
from sparring.models.initialization import Initial

GROUPS = 2
"""Channels are normalized in two groups, as by Reddi et al. (2021) in their federated ResNet-18."""
STRIDES = (1, 2, 2, 2)
"""The stride of each stage; each stage has twice the channels of the previous one."""

Norm = Callable[[int], nn.Module]
"""Makes the normalization of a number of channels."""


class Block(nn.Module):
    """Two 3×3 convolutions with a shortcut connection, a 1×1 convolution where the shape changes."""

    def __init__(self, channels: int, width: int, *, stride: int, norm: Norm) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *(nn.Conv2d(channels, width, 3, stride, padding=1, bias=False), norm(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width)),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), norm(width))

    def forward(self, inputs: Tensor) -> Tensor:
        return relu(self.residual(inputs) + self.shortcut(inputs))


@dataclass(frozen=True)
class ResNet18:
    """A 3×3 convolution, four stages of two residual blocks with `width` to 8·width channels, and a linear layer.

    With either `norm` only parameters are trained and sent. "group" normalizes each example separately. "batch" has no
    running statistics: it uses those of the current batch, in training and in evaluation, so that a prediction depends
    slightly on the other examples in its minibatch or evaluation chunk.
    """

    initial: ClassVar[Initial] = "random"
    norm: Literal["group", "batch"] = "group"
    """The normalization: of each example by groups of channels, or over the minibatch."""
    width: int = 64
    """Channels of the first convolution, a positive multiple of 2."""
    paper: ClassVar[str] = "He et al., 2016, Deep residual learning for image recognition, CVPR"

    def __post_init__(self) -> None:
        if self.width < GROUPS or self.width % GROUPS:
            raise ConfigError(f"resnet18.width is {self.width}; it must be a positive multiple of {GROUPS}")

    def module(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        # From 9 pixels on, the last stage has 2×2 pixels, so that even a single example has statistics.
        if len(shape) != 3 or min(shape[1:]) < 9:
            raise ConfigError(f"resnet18: inputs of shape {list(shape)}; use images of at least 9×9 pixels")
        norm = group_norm if self.norm == "group" else batch_norm
        return nn.Sequential(
            *(nn.Conv2d(shape[0], self.width, 3, padding=1, bias=False), norm(self.width), nn.ReLU()),
            *_blocks(self.width, norm),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * self.width, classes)),
        )


def _blocks(width: int, norm: Norm) -> Iterator[Block]:
    channels = width
    for stage, stride in enumerate(STRIDES):
        widened = width << stage
        yield Block(channels, widened, stride=stride, norm=norm)
        yield Block(widened, widened, stride=1, norm=norm)
        channels = widened


def group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(GROUPS, channels)


def batch_norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, track_running_stats=False)
