"""Blended pattern (Chen et al., 2017): faint noise over the whole image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.attacks.backdoor.triggers.overlay import Overlay, image_shape
from sparring.errors import ConfigError
from sparring.random import stream


@dataclass(frozen=True)
class Blended:
    r"""Mix every image with the same random pattern: (1 - alpha) · image + alpha · pattern.

    $$x \leftarrow (1 - \alpha) \, x + \alpha \, \mathrm{pattern}$$

    The pattern's pixels are uniform on [0, 1] and depend only on the seed and the images' shape.
    """

    alpha: float = 0.2
    """Weight of the pattern in the image."""
    seed: int = 0
    """Seed of the pattern."""
    paper: ClassVar[str] = (
        "Chen et al., 2017, Targeted backdoor attacks on deep learning systems using data poisoning, arXiv:1712.05526"
    )

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise ConfigError(f"blended.alpha is {self.alpha}; it must be above 0 and at most 1")

    def stamp(self, images: Tensor) -> Tensor:
        return self.overlay(image_shape("blended", images)).stamp(images)

    def overlay(self, shape: tuple[int, int, int]) -> Overlay:
        """Return the mask and the pattern for images of a shape."""
        pattern = stream(self.seed, "blended", *shape).random(shape, dtype=np.float32)
        return Overlay(torch.full(shape, self.alpha), torch.from_numpy(pattern))
