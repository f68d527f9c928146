"""Train a trigger and a classifier together (Doan et al., 2021): a worst case for evaluating defenses."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sparring.arrays import Batch, Vector, briefly, pixels
from sparring.attacks.backdoor.triggers.overlay import image_shape
from sparring.attacks.backdoor.triggers.trigger_network import TriggerNetwork, initialize_trigger
from sparring.contracts import Network
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import (
    check_at_least_one,
    check_batch,
    check_counts,
    check_generator,
    check_network,
    check_positive,
    check_shares,
)


@dataclass(frozen=True)
class TriggerTraining:
    """Settings of trigger training: the trigger's bound, and the alternating Adam steps of trigger and classifier."""

    epsilon: float = 0.1
    """The largest change of a pixel by the trigger, on the scale from 0 to 1."""
    steps: int = 300
    batch: int = 64
    lr: float = 1e-3
    clean: float = 0.5
    """The weight α of the loss on clean images; the loss on triggered images has the weight 1 - α."""
    width: int = 16
    """Channels between the trigger's convolutions."""

    def __post_init__(self) -> None:
        check_shares("trigger", epsilon=self.epsilon)
        if not 0 <= self.clean <= 1:
            raise ConfigError(f"trigger.clean is {self.clean}; it must be from 0 to 1")
        check_positive("trigger", lr=self.lr)
        check_at_least_one("trigger", steps=self.steps, batch=self.batch, width=self.width)


USUAL = TriggerTraining()
"""Settings that work for small grayscale images."""


class TrainedTrigger(NamedTuple):
    """The trigger, and the parameters of the classifier that was trained with it."""

    trigger: TriggerNetwork
    classifier: Vector

    def __repr__(self) -> str:
        return briefly(self)


def train_trigger(
    network: Network, examples: Batch, *, target: int, rng: Generator, training: TriggerTraining = USUAL
) -> TrainedTrigger:
    """Train a trigger and a classifier that predicts `target` for any image with the trigger.

    On each minibatch the trigger T takes one step down L(f(T(x)), target), then the classifier f takes one step down
    α · L(f(x), y) + (1 - α) · L(f(T(x)), target).
    """
    check_network("train_trigger: network", network)
    check_batch("train_trigger: examples", examples, example="data.train")
    check_counts("train_trigger", target=target)
    check_generator("train_trigger: rng", rng)
    _check(examples, target)
    trigger = initialize_trigger(
        image_shape("learned", examples.inputs), epsilon=training.epsilon, width=training.width, rng=rng
    )
    trigger.module.to(examples.inputs.device)
    leaves = [tensor.clone().requires_grad_() for tensor in network.split(network.initial(rng))]
    attacker = torch.optim.Adam(trigger.module.requires_grad_().parameters(), lr=training.lr)
    learner = torch.optim.Adam(leaves, lr=training.lr)

    def fooled(stamped: Tensor) -> Tensor:
        targets = torch.full((len(stamped),), target, device=stamped.device)
        return cross_entropy(network.forward(leaves, stamped), targets)

    for inputs, labels in _minibatches(examples, training, rng=rng):
        _step(attacker, fooled(trigger.stamp(inputs)))
        right = cross_entropy(network.forward(leaves, inputs), labels)
        _step(learner, training.clean * right + (1 - training.clean) * fooled(trigger.stamp(inputs).detach()))
    trigger.module.requires_grad_(False)
    return TrainedTrigger(trigger, torch.cat([leaf.detach().flatten() for leaf in leaves]))


def _check(examples: Batch, target: int) -> None:
    highest = int(examples.labels.max())
    if not 0 <= target <= highest:
        raise ConfigError(f"target is {target}; with the labels that are given it must be 0 to {highest}")


def _minibatches(examples: Batch, training: TriggerTraining, *, rng: Generator) -> Iterator[Batch]:
    for _ in range(training.steps):
        rows = torch.from_numpy(rng.integers(len(examples.labels), size=training.batch))
        yield Batch(pixels(examples.inputs[rows]), examples.labels[rows])


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
