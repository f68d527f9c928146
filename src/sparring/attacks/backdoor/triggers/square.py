"""Square (Gu et al., 2017), the trigger of BadNets."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.attacks.backdoor.triggers.overlay import Box, Overlay, check_color, image_shape, paint_boxes
from sparring.errors import ConfigError


@dataclass(frozen=True)
class Square:
    r"""Paint a square of one color; by default white, one pixel away from the lower right corner.

    $$x \leftarrow (1 - m) \odot x + m \odot c$$

    $m$ is 1 in the square and 0 elsewhere, and $c$ its color.
    """

    size: int = 3
    """Side length in pixels."""
    row: int = -4
    """Its first row; a negative value counts from the lower edge."""
    column: int = -4
    """Its first column; a negative value counts from the right edge."""
    color: float = 1.0
    """From 0, black, to 1, white, in all channels."""
    paper: ClassVar[str] = (
        "Gu et al., 2017, BadNets: identifying vulnerabilities in the machine learning model supply chain, "
        "arXiv:1708.06733"
    )

    def __post_init__(self) -> None:
        check_color("square", self.color)
        if self.size < 1:
            raise ConfigError(f"square.size is {self.size}; it must be at least 1")

    def stamp(self, images: Tensor) -> Tensor:
        return self.overlay(image_shape("square", images)).stamp(images)

    def overlay(self, shape: tuple[int, int, int]) -> Overlay:
        """Return the mask and the pattern for images of a shape."""
        _, height, width = shape
        row = self.row if self.row >= 0 else height + self.row
        column = self.column if self.column >= 0 else width + self.column
        return paint_boxes("square", [Box(row, column, self.size, self.size)], shape=shape, color=self.color)
