"""A policy as a small neural network: the part of a learner that is kept after training."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import linear

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space

Hidden = Literal["relu", "tanh"]
Squash = Literal["tanh", "clip"]


@dataclass(frozen=True, eq=False)
class PolicyNetwork:
    """Fully connected layers that map an observation to an action in [-1, 1]."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    """The weight `[outputs, inputs]` and the bias `[outputs]` of each layer."""
    hidden: Hidden = "relu"
    squash: Squash = "tanh"

    __repr__ = briefly

    @torch.no_grad()
    def act(self, observation: FloatArray) -> FloatArray:
        *hidden, (weight, bias) = self.layers
        values = torch.from_numpy(observation).float()
        for layer in hidden:
            values = linear(values, *layer)
            values = values.relu() if self.hidden == "relu" else values.tanh()
        out = linear(values, weight, bias)
        action: FloatArray = (out.tanh() if self.squash == "tanh" else out.clamp(-1, 1)).numpy()
        return action


def constant_policy(space: Space) -> PolicyNetwork:
    """Return the policy that always chooses the middle of each range."""
    return PolicyNetwork(((torch.zeros(space.action, space.observation), torch.zeros(space.action)),))
