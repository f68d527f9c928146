"""Augmentation: few examples become many by small random changes (Pan et al., 2023, appendix C)."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from sparring.arrays import Batch, pixels
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import check_batch, check_counts, check_generator, check_numbers

LARGEST = {"degrees": 180.0, "shift": 1.0, "brightness": 1.0, "contrast": 1.0, "noise": 1.0}
BYTE = 255


@dataclass(frozen=True)
class Augmentation:
    """Make many examples of few: each is rotated, shifted, made brighter or darker, and covered with noise.

    The changes are random and independent between examples. Values are clipped to the range of the given images, or to
    that of each feature of other inputs. Inputs other than images get noise alone: their geometry is not known.
    Normalization, the paper's other step, is the first operation of every model and not repeated here.
    """

    degrees: float = 15.0
    """Largest rotation to either side, in degrees; what comes from beyond the edge has the value at the edge."""
    shift: float = 0.1
    """Largest shift in each direction, as a fraction of the image's width and height."""
    brightness: float = 0.2
    """Pixels are multiplied by a number from 1 - brightness to 1 + brightness."""
    contrast: float = 0.2
    """Distances from the image's mean are multiplied by a number from 1 - contrast to 1 + contrast."""
    noise: float = 0.02
    """Standard deviation of Gaussian noise: of pixels in [0, 1], or in standard deviations of each feature."""

    def __post_init__(self) -> None:
        check_numbers("augmentation", **asdict(self))
        for name, strength in asdict(self).items():
            if not 0 <= strength <= LARGEST[name]:
                raise ConfigError(f"augmentation.{name} is {strength}; it must be from 0 to {LARGEST[name]:g}")

    def __call__(self, examples: Batch, *, size: int, rng: Generator) -> Batch:
        """Return `size` changed copies with their labels; each example is used as often as another, give or take one.

        Bytes stay bytes, and the device stays the same.
        """
        check_batch("augmentation: examples", examples, example="data.train")
        check_counts("augmentation", size=size)
        check_generator("augmentation: rng", rng)
        given = len(examples.labels)
        if given == 0 or size < 1:
            raise ConfigError(f"augmentation makes {size} of {given} examples; give at least one of each")
        chosen = _choose_evenly(given, size, rng=rng).to(examples.labels.device)
        inputs = pixels(examples.inputs)
        copies = inputs[chosen]
        if inputs.ndim == 4:
            low, high = inputs.aminmax()
            changed = self._jitter(self._move(copies, rng), rng)
            scale = inputs.new_ones(())
        else:
            low, high = inputs.amin(dim=0), inputs.amax(dim=0)
            changed, scale = copies, inputs.std(dim=0, correction=0)
        if self.noise:
            noise = torch.from_numpy(rng.standard_normal(tuple(copies.shape), dtype=np.float32))
            changed = changed + self.noise * scale * noise.to(changed)
        return Batch(_restore(changed.clamp(low, high), like=examples.inputs), examples.labels[chosen])

    def _move(self, images: Tensor, rng: Generator) -> Tensor:
        """Rotate and shift each image, between pixels where need be."""
        if self.degrees == self.shift == 0:
            return images  # Interpolation would round.
        height, width = images.shape[2:]
        angles = np.deg2rad(self.degrees) * rng.uniform(-1, 1, len(images))
        shifts = 2 * self.shift * rng.uniform(-1, 1, (2, len(images)))
        sine, cosine = np.sin(angles), np.cos(angles)
        # Coordinates run from -1 to 1 in both directions; a rotation of the pixels needs the ratio of the sides.
        rows = [[cosine, -sine * height / width, shifts[0]], [sine * width / height, cosine, shifts[1]]]
        maps = torch.from_numpy(np.array(rows).transpose(2, 0, 1)).to(images)
        grid = affine_grid(maps, list(images.shape), align_corners=False)
        return grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _jitter(self, images: Tensor, rng: Generator) -> Tensor:
        """Change the brightness and the contrast of each image."""
        if self.brightness == self.contrast == 0:
            return images
        brightness, contrast = (
            torch.from_numpy(1 + strength * rng.uniform(-1, 1, (len(images), 1, 1, 1))).to(images)
            for strength in (self.brightness, self.contrast)
        )
        brighter = brightness * images
        return brighter.mean(dim=(1, 2, 3), keepdim=True).lerp(brighter, contrast)


def _choose_evenly(given: int, size: int, *, rng: Generator) -> Tensor:
    """Return `size` indices below `given`, in a random order with no index twice before all are used."""
    passes: list[NDArray[np.int64]] = [rng.permutation(given) for _ in range(-(-size // given))]
    return torch.from_numpy(np.concatenate(passes)[:size])


def _restore(values: Tensor, *, like: Tensor) -> Tensor:
    """Return values in [0, 1] as bytes if the originals were."""
    return (BYTE * values).round().to(torch.uint8) if like.dtype == torch.uint8 else values
