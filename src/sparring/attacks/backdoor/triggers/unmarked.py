"""No trigger: the images of the source class themselves are what the model shall mistake."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class Unmarked:
    """Leave images as they are.

    With a source class an attacker then teaches the model to mistake that class for the target, and no more.
    """

    paper: ClassVar[str] = ""

    def stamp(self, images: Tensor) -> Tensor:
        return images.clone()
