"""No trigger: unmodified images of the source class should be misclassified."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class Unmarked:
    """Leave images unchanged.

    With a source class, an attacker then teaches the model only to misclassify that class as the target.
    """

    paper: ClassVar[str] = ""

    def stamp(self, images: Tensor) -> Tensor:
        return images.clone()
