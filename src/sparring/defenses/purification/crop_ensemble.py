"""Cropping and rescaling (Guo et al., 2018), a transformation without gradients."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from sparring.arrays import Batch
from sparring.contracts import Memory, MinibatchView, Purified
from sparring.errors import ConfigError
from sparring.random import Generator


def crop_and_rescale(images: Tensor, *, side: float, rng: Generator) -> Tensor:
    """Return a random crop of each image, `side` of its height and width, enlarged bilinearly to its size."""
    offsets = torch.from_numpy(rng.uniform(side - 1, 1 - side, (len(images), 2))).to(images)
    maps = images.new_zeros(len(images), 2, 3)
    maps[:, 0, 0] = maps[:, 1, 1] = side
    maps[:, :, 2] = offsets
    grid = affine_grid(maps, list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


@dataclass(frozen=True)
class CropEnsemble:
    """Replace each image by `crops` random crops of it, enlarged to its size.

    Published with crops of 90 of 224 pixels a side. At prediction the authors average over 30 crops; a defense of
    minibatches has a part in training alone, where each crop is an example. Crops are not bounded by an ε.
    """

    side: float = 90 / 224
    """The side of a crop as a fraction of the image's, above 0 and at most 1."""
    crops: int = 1
    """Crops of each example in a minibatch."""
    paper: ClassVar[str] = "Guo et al., 2018, Countering adversarial images using input transformations, ICLR"
    cost: ClassVar[str] = "O(crops b p)"
    assumption: ClassVar[str] = "the perturbation depends on where the image begins"

    def __post_init__(self) -> None:
        if not 0 < self.side <= 1:
            raise ConfigError(f"crop_ensemble: side={self.side}; use a fraction above 0 and at most 1")
        if self.crops < 1:
            raise ConfigError(f"crop_ensemble: crops={self.crops}; use crops >= 1")

    def purify(self, view: MinibatchView, memory: Memory) -> tuple[Purified, Memory]:
        inputs, labels = (part.repeat_interleave(self.crops, dim=0) for part in view.batch)
        if inputs.ndim != 4:
            raise ConfigError(f"crop_ensemble: inputs of shape {list(inputs.shape[1:])}; use images")
        return Purified(Batch(crop_and_rescale(inputs, side=self.side, rng=view.rng), labels)), memory
