"""Distances between a learned mixture and the true one."""

import ot
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from sparring.arrays import Batch, Matrix, pixels
from sparring.random import Generator

LARGEST = 200.0
"""The ratio, in decibels, assigned to equal images."""


def label_error(learned: Tensor, true: Tensor, *, classes: int) -> float:
    """Return the total variation distance of two samples' label distributions: half the sum of differences, 0 to 1."""
    shares = (labels.bincount(minlength=classes).double() / len(labels) for labels in (learned, true))
    return float(torch.sub(*shares).abs().sum() / 2)


def wasserstein(first: Matrix, second: Matrix) -> float:
    """Return the exact 1-Wasserstein distance of two samples, one point per row, by linear programming."""
    costs = torch.cdist(first.double(), second.double(), compute_mode="donot_use_mm_for_euclid_dist").numpy()
    return float(ot.emd2([], [], costs))


def image_distance(learned: Batch, true: Batch, *, most: int = 500, rng: Generator) -> float:
    """Return the 1-Wasserstein distance of two samples' images, between `most` random images of each.

    The distance of two images is the Euclidean distance of their pixels in [0, 1]. Small samples increase the result:
    even two samples of the same images have a positive distance.
    """
    return wasserstein(*(_sample(each.inputs, most, rng=rng) for each in (learned, true)))


def psnr(learned: Tensor, true: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio, in decibels, of each image and its original, pixels in [0, 1]."""
    errors = (learned.double() - true.double()).square().flatten(1).mean(dim=1)
    return (-10 * errors.log10()).clamp(max=LARGEST)


def matches(learned: Tensor, true: Tensor) -> Tensor:
    """Return the true image assigned to each learned one, with the smallest sum of squared errors."""
    costs = torch.cdist(learned.flatten(1).double(), true.flatten(1).double()).square()
    return torch.from_numpy(linear_sum_assignment(costs.numpy())[1])


def _sample(inputs: Tensor, most: int, *, rng: Generator) -> Tensor:
    chosen = rng.choice(len(inputs), min(most, len(inputs)), replace=False)
    return pixels(inputs[chosen]).flatten(1).double()
