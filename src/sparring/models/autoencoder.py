"""Small convolutional encoders and decoders, whose weights are named tensors beside them."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.errors import ConfigError
from sparring.models.initialization import glorot, is_scale
from sparring.random import Generator

WIDTHS = (16, 32)
"""Channels of the encoder's convolutions; the decoder has them in reverse (R2T2, appendix A.1.2)."""

Weights = Mapping[str, Tensor]
"""A module's parameters by name."""


def check_image_shape(player: str, shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the shape of an image of at least 4×4 pixels; reject inputs that are none."""
    if len(shape) != 3 or min(shape[1:]) < 4:
        raise ConfigError(f"{player}: inputs of shape {list(shape)}; use images of at least 4×4 pixels")
    channels, height, width = shape
    return channels, height, width


def build_encoder(shape: tuple[int, int, int], outputs: int) -> nn.Module:
    """Return two strided 3×3 convolutions and a linear layer, without values for its weights."""
    channels, height, width = shape
    cells = (-(-height // 4)) * (-(-width // 4))
    with torch.device("meta"):
        return nn.Sequential(
            *(nn.Conv2d(channels, WIDTHS[0], 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(WIDTHS[0], WIDTHS[1], 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(WIDTHS[1] * cells, outputs)),
        )


def build_decoder(latent: int, shape: tuple[int, int, int]) -> nn.Module:
    """Return a linear layer and two 3×3 convolutions, each after an enlargement by two, without values for weights."""
    channels, height, width = shape
    small, middle = ((-(-height // scale), -(-width // scale)) for scale in (4, 2))
    with torch.device("meta"):
        return nn.Sequential(
            *(nn.Linear(latent, WIDTHS[1] * small[0] * small[1]), nn.ReLU(), nn.Unflatten(1, (WIDTHS[1], *small))),
            *(nn.Upsample(middle), nn.Conv2d(WIDTHS[1], WIDTHS[0], 3, padding=1), nn.ReLU()),
            *(nn.Upsample((height, width)), nn.Conv2d(WIDTHS[0], channels, 3, padding=1)),
        )


def draw_tensors(module: nn.Module, rng: Generator, *, prefix: str = "") -> dict[str, Tensor]:
    """Draw weights by Glorot's rule, in order, with biases 0 and scales 1; `prefix` begins each name."""
    drawn = {}
    for name, piece in module.named_parameters():
        values = torch.ones(piece.shape) if is_scale(name, piece.shape) else glorot(piece.shape, rng)
        drawn[prefix + name] = values.view(piece.shape)
    return drawn


def apply_module(module: nn.Module, weights: Weights, inputs: Tensor, *, prefix: str = "") -> Tensor:
    """Return the module's outputs with those of the weights whose names begin with `prefix`."""
    own = {name: weights[prefix + name] for name, _ in module.named_parameters()}
    outputs: Tensor = functional_call(module, own, (inputs,))
    return outputs
