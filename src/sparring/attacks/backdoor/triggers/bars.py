"""Four bars (Xie, Huang et al., 2020): the global trigger of DBA; each bar is also a trigger."""

from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar, NamedTuple

from torch import Tensor

from sparring.attacks.backdoor.triggers.overlay import Box, Overlay, check_color, image_shape, paint_boxes
from sparring.errors import ConfigError

COUNT = 4


class Layout(NamedTuple):
    """The first rows and the first columns of the bars, and their length."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    length: int


LAYOUTS = {(28, 28): Layout((0, 3), (0, 6), 4), (32, 32): Layout((0, 4), (0, 9), 6)}
"""The authors' layouts, by the image's height and width."""


@dataclass(frozen=True)
class Bars:
    """Paint bars of one pixel's height, two in each of two rows.

    The published layouts are for images of 28×28 (rows 0 and 3, columns 0 to 3 and 6 to 9) and of 32×32 pixels (rows 0
    and 4, columns 0 to 5 and 9 to 14); for other sizes rows, columns and length must be given.
    """

    rows: tuple[int, int] | None = None
    """The rows of the upper and of the lower bars, in pixels from the top; null takes the published ones."""
    columns: tuple[int, int] | None = None
    """The first column of the left and of the right bars."""
    length: int | None = None
    """Pixels in each bar, at least 1; null takes the published number."""
    color: float = 1.0
    """From 0, black, to 1, white, in all channels."""
    part: int | None = None
    """The only bar to paint: 0 and 1 are the upper bars, 2 and 3 the lower bars; null means all."""
    paper: ClassVar[str] = "Xie, Huang et al., 2020, DBA: distributed backdoor attacks against federated learning, ICLR"

    def __post_init__(self) -> None:
        check_color("bars", self.color)
        if len({value is None for value in (self.rows, self.columns, self.length)}) > 1:
            raise ConfigError("bars has some of rows, columns and length; set all three, or none of them")
        if self.length is not None and self.length < 1:
            raise ConfigError(f"bars.length is {self.length}; it must be at least 1")
        if self.part is not None and not 0 <= self.part < COUNT:
            raise ConfigError(f"bars.part is {self.part}; it must be 0 to {COUNT - 1}, or null for all bars")

    @property
    def parts(self) -> tuple["Bars", ...]:
        """Each bar as a separate trigger; if the trigger is a single bar, only itself."""
        return tuple(replace(self, part=part) for part in range(COUNT)) if self.part is None else (self,)

    def stamp(self, images: Tensor) -> Tensor:
        return self.overlay(image_shape("bars", images)).stamp(images)

    def overlay(self, shape: tuple[int, int, int]) -> Overlay:
        """Return the mask and the pattern for images of a shape."""
        layout = self._layout(*shape[1:])
        corners = list(product(layout.rows, layout.columns))
        chosen = corners if self.part is None else [corners[self.part]]
        boxes = [Box(row, column, height=1, width=layout.length) for row, column in chosen]
        return paint_boxes("bars", boxes, shape=shape, color=self.color)

    def _layout(self, height: int, width: int) -> Layout:
        if self.rows is not None and self.columns is not None and self.length is not None:
            return Layout(self.rows, self.columns, self.length)
        if (height, width) not in LAYOUTS:
            raise ConfigError(
                f"trigger bars: images of {height}×{width} pixels have no published bars; set rows, columns and length"
            )
        return LAYOUTS[height, width]
