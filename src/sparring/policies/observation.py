"""The observation of an attacker's policy (Li et al., 2022, section 4.3): the model and the fraction malicious.

A policy may also observe a few features of the round. It declares them, so that the game in which it is trained and
the attack that uses it compute the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isnan, log10

import numpy as np
import torch

from sparring.arrays import FloatArray, Vector, row_norms
from sparring.contracts import BlackBoxView, Network
from sparring.models.summary import seen_parameters, summary
from sparring.training import mean_loss
from sparring.validation import check_at_least_one

DECADES = 2
"""A ratio of norms of 10 to the power of this is observed as 1."""


@dataclass(frozen=True)
class Features:
    """What an attacker observes of a round beside the model, in this order; each number lies in [-1, 1].

    1. The logarithm of a ratio: the median norm of the own clients' honest updates, over the norm of the last change of
       the global model. 0 before the first change.
    2. 1 - 2p, where p is the geometric mean of the probabilities that the model assigns to the labels of own examples.
       It rises with their loss, from -1.
    3. The round as a share of `horizon`.

    All of it is in the view of every attacker; nothing is drawn at random.
    """

    horizon: int
    """The round whose share is 1: attackers do not know when training ends."""
    examples: int = 100
    """Maximum number of own examples for the loss, spaced evenly over those of all own clients."""

    def __post_init__(self) -> None:
        check_at_least_one("features", horizon=self.horizon, examples=self.examples)

    @property
    def size(self) -> int:
        """The number of features."""
        return 3

    @property
    def unknown(self) -> tuple[float, ...]:
        """The features in a round in which no own client is sampled."""
        return (0.0,) * self.size

    def measure(self, view: BlackBoxView) -> tuple[float, ...]:
        """Return the features of a round."""
        own = float(row_norms(view.own()).nanmedian())
        loss = mean_loss(view.network, view.parameters, on=view.shards.shared(self.examples)[view.clients[0]])
        return (
            _compare(own, _last_change(view)),
            1.0 if isnan(loss) else 1 - 2 * exp(-loss),
            min(1.0, view.round / self.horizon),
        )


def _last_change(view: BlackBoxView) -> float:
    return 0.0 if view.previous is None else float(torch.linalg.vector_norm(view.parameters - view.previous))


def _compare(length: float, other: float) -> float:
    """Return the logarithm of a ratio, cut to [-1, 1]; of two lengths that are not finite or zero, the limit."""
    if other == 0 or isnan(other):
        return 0.0
    ratio = length / other
    if isnan(ratio):
        return 1.0
    return max(-1.0, min(1.0, log10(ratio) / DECADES)) if ratio > 0 else -1.0


def observation(
    network: Network,
    parameters: Vector,
    *,
    malicious: int,
    sampled: int,
    layers: int | None,
    features: Sequence[float] = (),
) -> FloatArray:
    """Return the parameters of the last `layers` layers (None: all), the features, then the share of malicious."""
    seen = summary(network, parameters, layers=layers)
    return np.concatenate([seen, np.array([*features, malicious / sampled], dtype=np.float32)])


def observation_size(network: Network, layers: int | None, features: Features | None = None) -> int:
    """Return the length of the observation."""
    seen = len(range(network.size)[seen_parameters(network, layers)])
    return seen + (0 if features is None else features.size) + 1
