"""The labels that a gradient gives away, without a search (after Zhao et al., 2020, and Wainakh et al., 2022).

The gradient of the last layer's biases is the mean of softmax - one-hot label over the examples.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.arrays import Batch, Vector, in_chunks
from sparring.contracts import Model
from sparring.random import Generator
from sparring.registry import imported

Shares = NDArray[np.float64]
"""How much of the examples each class has, `[classes]`; they add up to 1."""
CHUNK = 1000
"""The most examples that are answered at once."""
CERTAIN = 1e3
"""How much more an error of the sum counts than one of the gradient."""


def mean_answers(model: Model, examples: Batch) -> Tensor:
    """Return the mean softmax on the examples of each class, `[classes, classes]`; of a class without any, on all."""
    parts = [model(part).double().softmax(dim=1) for part in in_chunks(examples.inputs, CHUNK)]
    answers = torch.cat(parts)
    means = answers.mean(dim=0).repeat(answers.shape[1], 1)
    for label in examples.labels.unique().tolist():
        means[label] = answers[examples.labels == label].mean(dim=0)
    return means


def label_shares(model: Model, gradient: Vector, *, answers: Tensor) -> Shares:
    """Return the shares s of the classes that best explain a mean gradient; equal shares where it tells nothing.

    With the mean softmax `answers` P on each class, the last biases' gradient is (Pᵀ - I) s; s is at least 0 and adds
    up to 1. The gradient's length counts: what a rule has clipped seems to have the shares that the model expects.
    """
    classes = len(answers)
    # What is solved here is small, and solved by SciPy.
    biases, answers = model.network.split(gradient)[-1].double().cpu(), answers.cpu()
    if biases.shape != (classes,) or not torch.isfinite(biases).all() or not torch.isfinite(answers).all():
        return np.full(classes, 1 / classes)
    system = torch.cat([answers.T - torch.eye(classes), torch.full((1, classes), CERTAIN)])
    nnls = imported("scipy.optimize:nnls")  # a list of what there is need not wait for it
    weights, _ = nnls(system.numpy(), torch.cat([biases, torch.tensor([CERTAIN])]).numpy())
    shares: Shares = weights / weights.sum()
    return shares


def dealt_labels(shares: Shares, count: int, *, rng: Generator) -> Tensor:
    """Return `count` labels, each class as often as its share says, rounded up or down at random without bias.

    A single one is the likeliest.
    """
    if count == 1:
        return torch.tensor([int(shares.argmax())])
    places = (np.arange(count) + rng.random()) / count
    labels = np.searchsorted(shares.cumsum(), places, side="right")
    return torch.from_numpy(labels.clip(max=len(shares) - 1))
