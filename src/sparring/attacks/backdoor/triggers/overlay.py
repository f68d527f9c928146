"""A trigger as data: a pattern, and a mask with its weight in each pixel."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.errors import ConfigError


class Overlay(NamedTuple):
    """The pattern's weight in each pixel, from 0 to 1, and the pattern: both `[channels, height, width]`."""

    mask: Tensor
    pattern: Tensor

    def stamp(self, images: Tensor) -> Tensor:
        """Return (1 - mask) · image + mask · pattern for each image."""
        mask, pattern = (part.to(images.device) for part in self)
        return (1 - mask) * images + mask * pattern


class Box(NamedTuple):
    """A rectangle of pixels whose upper left corner is at `row` and `column`."""

    row: int
    column: int
    height: int
    width: int


def image_shape(trigger: str, images: Tensor) -> tuple[int, int, int]:
    """Return channels, height and width of a batch of images; reject other inputs."""
    if images.ndim != 4:
        raise ConfigError(f"trigger {trigger}: the inputs have shape {list(images.shape[1:])}; use images")
    _, channels, height, width = images.shape
    return channels, height, width


def paint_boxes(trigger: str, boxes: Sequence[Box], *, shape: tuple[int, int, int], color: float) -> Overlay:
    """Return the overlay that paints the boxes in one color in all channels; reject a box outside the image."""
    _, height, width = shape
    mask = torch.zeros(shape)
    for row, column, rows, columns in boxes:
        if not (0 <= row <= height - rows and 0 <= column <= width - columns):
            raise ConfigError(
                f"trigger {trigger}: rows {row} to {row + rows - 1}, columns {column} to {column + columns - 1} "
                f"are outside an image of {height}×{width} pixels; move it or use larger images"
            )
        mask[:, row : row + rows, column : column + columns] = 1
    return Overlay(mask, torch.full(shape, color))


def check_color(trigger: str, color: float) -> None:
    """Reject a color outside [0, 1]."""
    if not 0 <= color <= 1:
        raise ConfigError(f"{trigger}.color is {color}; it must be from 0 (black) to 1 (white)")
