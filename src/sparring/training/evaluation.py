"""Evaluation of a model on labeled examples."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Vector, briefly, in_chunks, pixels
from sparring.contracts import Network
from sparring.validation import check_batch, check_network

CHUNK = 250
"""Maximum number of examples evaluated at once; with more, every layer requests new memory from the system."""


class Evaluation(NamedTuple):
    """Mean cross-entropy, accuracy, and accuracy per class (NaN for a class without examples)."""

    loss: float
    accuracy: float
    class_accuracy: tuple[float, ...]

    def __repr__(self) -> str:
        return briefly(self)


@torch.no_grad()
def evaluate(network: Network, parameters: Vector, *, on: Batch) -> Evaluation:
    """Evaluate the model on all examples of `on`."""
    check_network("evaluate: network", network)
    check_batch("evaluate: on", on, example="data.test")
    total = parameters.new_zeros((), dtype=torch.float64)
    right = []
    for logits, labels in _forward(network, parameters, on=on):
        total += cross_entropy(logits, labels, reduction="sum")
        right.append(logits.argmax(dim=1) == labels)
    hits = torch.cat(right)
    seen = on.labels.bincount(minlength=logits.shape[1])
    won = on.labels[hits].bincount(minlength=logits.shape[1])
    return Evaluation(total.item() / len(hits), hits.double().mean().item(), tuple((won.double() / seen).tolist()))


@torch.no_grad()
def mean_loss(network: Network, parameters: Vector, *, on: Batch) -> float:
    """Return the loss alone, equal to that of `evaluate`: the price of a reward."""
    total = 0.0
    for logits, labels in _forward(network, parameters, on=on):
        total += cross_entropy(logits, labels, reduction="sum").item()
    return total / len(on.labels)


@torch.no_grad()
def count_classes(network: Network, parameters: Vector, *, inputs: Tensor) -> int:
    """Return the number of classes that a network distinguishes, given some inputs in [0, 1]."""
    # Two examples: with batch normalization one is not enough.
    return network.forward(network.split(parameters), inputs[:2]).shape[1]


def _forward(network: Network, parameters: Vector, *, on: Batch) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits and labels, chunk by chunk."""
    tensors = network.split(parameters)
    for inputs, labels in zip(*(in_chunks(part, CHUNK) for part in on), strict=True):
        yield network.forward(tensors, pixels(inputs)), labels
