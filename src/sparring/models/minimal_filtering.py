"""Small strided convolutions with the fewest multiplications (Winograd, 1980; Lavin and Gray, 2016).

Along one side, the m values of a correlation of n = m + r - 1 inputs with r weights are Aᵀ((G w) ∘ (Bᵀ x)): n
products in place of m·r. The matrices evaluate polynomials at n - 1 numbers and at infinity. A stride of s takes every
s-th input and weight apart: s² convolutions without stride, whose channels are added up.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

POINTS = (0.0, -1.0, -2.0, -1 / 2, 2 / 3, 4 / 3)
"""Of the simple fractions, those that lose the least: the result agrees with the exact one to 3e-6 in float32."""
LARGEST = len(POINTS) + 1
"""Values along a side of one phase of the input."""
WIDE = 32
"""Channels from which on fewer products weigh more than the passes over memory that they cost."""


def pays(inputs: Tensor, weight: Tensor, *, stride: int) -> bool:
    """Say whether inputs and kernels are small squares whose phases are all of one size, and wide enough to gain."""
    (channels, *sides), (*_, height, kernel) = inputs.shape[1:], weight.shape
    are_square = len(set(sides)) == 1 and height == kernel
    is_even = sides[0] % stride == 0 and kernel % stride == 0
    return channels >= WIDE and are_square and is_even and stride < kernel < sides[0] <= stride * LARGEST


def filtered(inputs: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """Return the `[examples, width, m, m]` convolution without padding of `[examples, channels, side, side]` inputs."""
    places, taps = inputs.shape[-1] // stride, weight.shape[-1] // stride
    forward, kernel, backward = _transforms(places - taps + 1, taps)
    signals = _both_sides(forward, inputs, stride=stride)
    weights = _both_sides(kernel, weight, stride=stride)
    products = torch.bmm(signals, weights.transpose(1, 2))
    rows = _matrix(backward, inputs) @ products.view(places, -1)
    squares = _matrix(backward, inputs) @ rows.view(len(backward), places, -1)
    return squares.view(len(backward), len(backward), *products.shape[1:]).permute(2, 3, 0, 1)


def _both_sides(transform: NDArray[np.float64], images: Tensor, *, stride: int) -> Tensor:
    """Transform every phase of the images, first down, then across: `[places², images, phases · channels]`.

    Each side in its turn leaves the memory as it lies, and so it does on the way back.
    """
    count, channels = images.shape[:2]
    places, taps = transform.shape
    matrix = _matrix(transform, images)
    down = matrix @ images.permute(0, 2, 3, 1).reshape(count, taps, -1)
    across = matrix @ down.reshape(count * places * stride, taps, stride * channels)
    phases = across.view(count, places, stride, places, stride * channels)
    return phases.permute(1, 3, 0, 2, 4).reshape(places**2, count, -1)


def _matrix(transform: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(transform).to(like)


@cache
def _transforms(outputs: int, weights: int) -> tuple[NDArray[np.float64], ...]:
    """Return Bᵀ, G and Aᵀ; what stands for one place is of even size in all three."""
    places = outputs + weights - 1
    values, kernel = _powers(places, outputs), _powers(places, weights)
    inverse = np.linalg.inv(_powers(places, places)).T
    sizes = [np.linalg.norm(matrix, axis=1) for matrix in (inverse, kernel, values)]
    even = np.prod(sizes, axis=0) ** (1 / 3)
    forward, turn, backward = (
        matrix * (even / size)[:, None] for matrix, size in zip((inverse, kernel, values), sizes, strict=True)
    )
    return forward, turn, np.ascontiguousarray(backward.T)


def _powers(places: int, count: int) -> NDArray[np.float64]:
    """Evaluate `count` powers at each of the places, of which the last is infinity."""
    finite = np.vander(POINTS[: places - 1], count, increasing=True)
    return np.vstack([finite, np.eye(1, count, count - 1)])
