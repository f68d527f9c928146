"""Small strided convolutions with the fewest multiplications (Winograd, 1980; Lavin and Gray, 2016).

In one dimension, the m values of a correlation of n = m + r - 1 inputs with r weights are Aᵀ((G w) ∘ (Bᵀ x)): n
products in place of m·r. The matrices evaluate polynomials at n - 1 numbers and at infinity. A stride of s splits
inputs and weights into s phases per side: s² convolutions without stride, whose channels are summed.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

POINTS = (0.0, -1.0, -2.0, -1 / 2, 2 / 3, 4 / 3)
"""Evaluation points: the simple fractions with the smallest error, 3e-6 relative to the exact result in float32."""
LARGEST = len(POINTS) + 1
"""Maximum side length of one phase of the input."""
WIDE = 32
"""Number of channels from which the saved products outweigh the additional memory traffic."""


def pays(inputs: Tensor, weight: Tensor, *, stride: int) -> bool:
    """Say whether inputs and kernels are small squares with phases of equal size, and wide enough to be faster."""
    (channels, *sides), (*_, height, kernel) = inputs.shape[1:], weight.shape
    are_square = len(set(sides)) == 1 and height == kernel
    is_even = sides[0] % stride == 0 and kernel % stride == 0
    return channels >= WIDE and are_square and is_even and stride < kernel < sides[0] <= stride * LARGEST


def filtered(inputs: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """Return the `[examples, width, m, m]` convolution without padding of `[examples, channels, side, side]` inputs."""
    points, taps = inputs.shape[-1] // stride, weight.shape[-1] // stride
    forward, kernel, backward = _transforms(points - taps + 1, taps)
    signals = _both_sides(forward, inputs, stride=stride)
    weights = _both_sides(kernel, weight, stride=stride)
    products = torch.bmm(signals, weights.transpose(1, 2))
    rows = _matrix(backward, inputs) @ products.view(points, -1)
    squares = _matrix(backward, inputs) @ rows.view(len(backward), points, -1)
    return squares.view(len(backward), len(backward), *products.shape[1:]).permute(2, 3, 0, 1)


def _both_sides(transform: NDArray[np.float64], images: Tensor, *, stride: int) -> Tensor:
    """Transform every phase of the images, first by columns, then by rows: `[points², images, phases · channels]`.

    One side at a time needs no transposition in memory, neither here nor in the inverse transform.
    """
    count, channels = images.shape[:2]
    points, taps = transform.shape
    matrix = _matrix(transform, images)
    down = matrix @ images.permute(0, 2, 3, 1).reshape(count, taps, -1)
    across = matrix @ down.reshape(count * points * stride, taps, stride * channels)
    phases = across.view(count, points, stride, points, stride * channels)
    return phases.permute(1, 3, 0, 2, 4).reshape(points**2, count, -1)


def _matrix(transform: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(transform).to(like)


@cache
def _transforms(outputs: int, weights: int) -> tuple[NDArray[np.float64], ...]:
    """Return Bᵀ, G and Aᵀ, scaled so that the rows of one evaluation point have equal norms in all three."""
    points = outputs + weights - 1
    values, kernel = _powers(points, outputs), _powers(points, weights)
    inverse = np.linalg.inv(_powers(points, points)).T
    sizes = [np.linalg.norm(matrix, axis=1) for matrix in (inverse, kernel, values)]
    even = np.prod(sizes, axis=0) ** (1 / 3)
    forward, turn, backward = (
        matrix * (even / size)[:, None] for matrix, size in zip((inverse, kernel, values), sizes, strict=True)
    )
    return forward, turn, np.ascontiguousarray(backward.T)


def _powers(points: int, count: int) -> NDArray[np.float64]:
    """Evaluate `count` powers at each of the points, the last of which is infinity."""
    finite = np.vander(POINTS[: points - 1], count, increasing=True)
    return np.vstack([finite, np.eye(1, count, count - 1)])
