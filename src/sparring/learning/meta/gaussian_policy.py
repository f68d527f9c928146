"""Policies that draw actions from a normal distribution around a network's answer, as functions of flat weights."""

from dataclasses import dataclass
from itertools import pairwise
from math import log, pi

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from sparring.arrays import Vector
from sparring.learning.actor_critic.updates import Layers, split_layers
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator
from sparring.validation import check_at_least_one, check_positive


@dataclass(frozen=True)
class GaussianPolicy:
    """A normal distribution of actions; its mean is a network with tanh between the layers, smooth in its weights.

    Actions are drawn beyond [-1, 1], too; a game clips them. The probability is that of the unclipped action.
    """

    widths: tuple[int, ...]
    """The length of the observation, units of the hidden layers, the length of the action.

    A policy that sees nothing has the observation length 0: its weights are its mean.
    """
    deviation: float = 0.3
    """The standard deviation of each number of the action."""

    def __post_init__(self) -> None:
        check_at_least_one("gaussian_policy", action=self.widths[-1], **{"widths - 1": len(self.widths) - 1})
        check_positive("gaussian_policy", deviation=self.deviation)

    @property
    def size(self) -> int:
        """How many weights it has."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    def initial(self, rng: Generator) -> Vector:
        """Draw small weights of the last layer, so that actions are near the middle, and usual ones of the others."""
        parts = []
        for place, (inputs, outputs) in enumerate(pairwise(self.widths), start=2):
            scale = (0.01 if place == len(self.widths) else 1.0) / max(inputs, 1) ** 0.5
            parts += [scale * rng.standard_normal(inputs * outputs), np.zeros(outputs)]
        return torch.from_numpy(np.concatenate(parts)).float()

    def mean(self, weights: Vector, observations: Tensor) -> Tensor:
        """Return the `[..., action]` means for `[..., numbers]` observations."""
        *hidden, last = self._layers(weights)
        values = observations.to(weights.dtype)
        for layer in hidden:
            values = linear(values, *layer).tanh()
        return linear(values, *last)

    def draw(self, weights: Vector, observations: Tensor, rng: Generator) -> Tensor:
        """Draw an action for each observation."""
        noise = rng.standard_normal((*observations.shape[:-1], self.widths[-1]))
        return self.act(weights, observations, noise=torch.from_numpy(noise).to(weights.dtype))

    def act(self, weights: Vector, observations: Tensor, *, noise: Tensor) -> Tensor:
        """Return the actions that standard normal noise leads to."""
        return self.mean(weights, observations) + self.deviation * noise

    def log_density(self, weights: Vector, observations: Tensor, actions: Tensor) -> Tensor:
        """Return the log-probability densities `[...]` of actions."""
        distance = (actions - self.mean(weights, observations)) / self.deviation
        return -0.5 * distance.square().sum(dim=-1) - self.widths[-1] * (log(self.deviation) + log(2 * pi) / 2)

    def network(self, weights: Vector) -> PolicyNetwork:
        """Return the policy that always answers with the mean, clipped to [-1, 1]."""
        return PolicyNetwork(
            tuple((weight.float(), bias.float()) for weight, bias in self._layers(weights)), "tanh", "clip"
        )

    def _layers(self, weights: Vector) -> Layers:
        return split_layers(weights, [self.widths])[0]
