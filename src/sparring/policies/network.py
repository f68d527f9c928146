"""A policy as a small neural network: the part of a learner that is kept after training."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import linear

from sparring.arrays import FloatArray, briefly
from sparring.contracts import Space
from sparring.policies.encoder import Encoder, ProjectionEncoder

Hidden = Literal["relu", "tanh"]
Squash = Literal["tanh", "clip"]


@dataclass(frozen=True, eq=False)
class PolicyNetwork:
    """Fully connected layers that map an observation to an action in [-1, 1]."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    """The weight `[outputs, inputs]` and the bias `[outputs]` of each layer."""
    hidden: Hidden = "relu"
    squash: Squash = "tanh"
    encoder: Encoder | None = None
    """Encodes the observation before the first layer; None passes the observation itself."""

    __repr__ = briefly

    @property
    def inputs(self) -> int:
        """The length of the observations that it was made for, or the number of features that its encoder makes."""
        return len(self.encoder.matrix) if isinstance(self.encoder, ProjectionEncoder) else self.layers[0][0].shape[1]

    def fits(self, observation: int) -> bool:
        """Return whether it accepts observations of this length."""
        inputs = self.layers[0][0].shape[1]
        return inputs == (observation if self.encoder is None else self.encoder.size(observation))

    @torch.no_grad()
    def act(self, observation: FloatArray) -> FloatArray:
        action: FloatArray = self(torch.from_numpy(observation).float()).numpy()
        return action

    def __call__(self, observations: Tensor) -> Tensor:
        """Return the `[..., actions]` for `[..., numbers]` observations."""
        *hidden, (weight, bias) = self.layers
        values = observations if self.encoder is None else self.encoder(observations)
        for layer in hidden:
            values = linear(values, *layer)
            values = values.relu() if self.hidden == "relu" else values.tanh()
        out = linear(values, weight, bias)
        return out.tanh() if self.squash == "tanh" else out.clamp(-1, 1)


def constant_policy(space: Space) -> PolicyNetwork:
    """Return the policy that always chooses the middle of each range."""
    return PolicyNetwork(((torch.zeros(space.action, space.observation), torch.zeros(space.action)),))
