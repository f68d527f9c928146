"""Random subsets of the coordinates."""

import torch
from torch import Tensor

from sparring.random import Generator


def draw_coordinates(parameters: int, count: int, *, rng: Generator) -> Tensor:
    """Draw `count` of the coordinates, all where there are no more, in ascending order."""
    drawn = rng.choice(parameters, size=min(count, parameters), replace=False, shuffle=False)
    return torch.from_numpy(drawn).sort().values
