"""A denoising autoencoder (Vincent et al., 2008), which cleans reconstructed images (RLA, section 4.2)."""

from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sparring.arrays import briefly, pixels
from sparring.errors import ConfigError
from sparring.models.initialization import draw_weights
from sparring.random import Generator
from sparring.validation import check_at_least_one, check_positive

CHUNK = 1000
"""Images that are cleaned at once."""


@dataclass(frozen=True)
class Denoising:
    """Settings of the autoencoder's training: with Adam, to recover an image from a noisy copy."""

    noise: float = 0.3
    """Standard deviation of the noise on each pixel, which is then clipped to [0, 1]: MSG's value (appendix C)."""
    steps: int = 500
    batch: int = 64
    lr: float = 1e-3
    width: int = 128
    """Neurons of the middle layer; the layers before and after have twice as many."""

    def __post_init__(self) -> None:
        check_positive("denoising", noise=self.noise, lr=self.lr)
        check_at_least_one("denoising", steps=self.steps, batch=self.batch, width=self.width)


USUAL = Denoising()
"""Settings that work for small grayscale images."""


@dataclass(frozen=True, eq=False)
class Denoiser:
    """An autoencoder that removes noise from images."""

    module: nn.Module

    __repr__ = briefly

    @torch.no_grad()
    def clean(self, images: Tensor) -> Tensor:
        """Return the denoised images, pixels in [0, 1]."""
        parts = [self.module(part.flatten(1)) for part in pixels(images).split(CHUNK)]
        return torch.cat(parts).view(images.shape)


def train_denoiser(images: Tensor, *, rng: Generator, training: Denoising = USUAL) -> Denoiser:
    """Train an autoencoder on clean images, such as the attacker's own, with new noise in each step."""
    if len(images) == 0:
        raise ConfigError("denoising: there are no clean images; give at least 1")
    module = _random_autoencoder(prod(images.shape[1:]), training.width, rng=rng)
    optimizer = torch.optim.Adam(module.parameters(), lr=training.lr)
    for _ in range(training.steps):
        clean = pixels(images[rng.integers(len(images), size=training.batch)]).flatten(1)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        error = mse_loss(module((clean + training.noise * noise).clamp_(0, 1)), clean)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return Denoiser(module.requires_grad_(False))


def _random_autoencoder(size: int, width: int, *, rng: Generator) -> nn.Module:
    """Return an autoencoder of flat images with random weights."""
    module = _layers(size, 2 * width, middle=width)
    draw_weights(module, rng)
    return module.requires_grad_()


def _layers(outer: int, inner: int, *, middle: int) -> nn.Module:
    """Return the layers without values for their weights: drawing them would use torch's global generator."""
    with torch.device("meta"):
        return nn.Sequential(
            *(nn.Linear(outer, inner), nn.ReLU(), nn.Linear(inner, middle), nn.ReLU()),
            *(nn.Linear(middle, inner), nn.ReLU(), nn.Linear(inner, outer), nn.Sigmoid()),
        )
