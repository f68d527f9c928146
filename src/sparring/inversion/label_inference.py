"""Label inference from a gradient, without a search (after Zhao et al., 2020, and Wainakh et al., 2022).

The gradient of the last layer's biases is the mean of softmax - one-hot label over the examples.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Model
from sparring.random import Generator
from sparring.registry import import_member

Shares = NDArray[np.float64]
"""Fractions of the examples in each class, `[classes]`; they sum to 1."""
CHUNK = 1000
"""Maximum number of examples per forward pass."""
CERTAIN = 1e3
"""Weight of an error in the sum, relative to an error in the gradient."""


def mean_answers(model: Model, examples: Batch) -> Tensor:
    """Return the mean softmax on each class's examples, `[classes, classes]`; on all examples for an empty class."""
    parts = [model(part).double().softmax(dim=1) for part in in_chunks(examples.inputs, CHUNK)]
    answers = torch.cat(parts)
    means = answers.mean(dim=0).repeat(answers.shape[1], 1)
    for label in examples.labels.unique().tolist():
        means[label] = answers[examples.labels == label].mean(dim=0)
    return means


def label_shares(model: Model, gradient: Vector, *, answers: Tensor) -> Shares:
    """Return the class fractions s that best explain a mean gradient; equal fractions if it has no information.

    With the mean softmax `answers` P on each class, the last biases' gradient is (Pᵀ - I) s; s is at least 0 and sums
    to 1. The gradient's norm matters: a clipped gradient seems to have the class fractions that the model expects.
    """
    classes = len(answers)
    # The system is small, and SciPy solves it.
    biases, answers = model.network.split(gradient)[-1].double().cpu(), answers.cpu()
    if biases.shape != (classes,) or not torch.isfinite(biases).all() or not torch.isfinite(answers).all():
        return np.full(classes, 1 / classes)
    system = torch.cat([answers.T - torch.eye(classes), torch.full((1, classes), CERTAIN)])
    nnls = import_member("scipy.optimize:nnls")  # a late import, so that listing the catalogue stays fast
    weights, _ = nnls(system.numpy(), torch.cat([biases, torch.tensor([CERTAIN])]).numpy())
    shares: Shares = weights / weights.sum()
    return shares


def dealt_labels(shares: Shares, count: int, *, rng: Generator) -> Tensor:
    """Return `count` labels in these proportions; fractional counts are rounded at random without bias.

    A single label is the most likely one.
    """
    if count == 1:
        return torch.tensor([int(shares.argmax())])
    positions = (np.arange(count) + rng.random()) / count
    labels = np.searchsorted(shares.cumsum(), positions, side="right")
    return torch.from_numpy(labels.clip(max=len(shares) - 1))
