r"""Gaussian dynamics: an ensemble that predicts the next observation and the reward together (MARL, B.3.2; AMPO).

$$(s_{t+1} - s_t,\; r_t) \sim \mathcal{N}(\mu_i(s_t, a_t), \operatorname{diag} \sigma_i^2(s_t, a_t))$$

Each member of the ensemble learns from steps of its own, drawn with repetition. The text predicts the next state alone,
of which the reward is no function where the state is a part of a model: so the reward is predicted beside it. A member
that diverges is drawn anew, and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, pi
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.learning.actor_critic.updates import AdamMoments, adam_step, draw_layers, no_moments
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot
from sparring.validation import check_at_least_one, check_positive

LOG_DEVIATION = (-7.0, 3.0)
"""Bounds of the logarithm of a predicted standard deviation, in units of the data."""
SMALLEST_UNIT = 1e-6
"""The smallest unit of a number; one that hardly varies is not scaled up."""


@dataclass(frozen=True)
class DynamicsSettings:
    """The ensemble and how it learns."""

    members: int = 5
    hidden: tuple[int, ...] = (200, 200, 200, 200)
    """Units of the hidden layers; the published ones."""
    lr: float = 1e-3
    batch: int = 256

    def __post_init__(self) -> None:
        units = {f"hidden[{place}]": units for place, units in enumerate(self.hidden)}
        check_at_least_one("dynamics", members=self.members, batch=self.batch, **units)
        check_positive("dynamics", lr=self.lr)


class GameSteps(NamedTuple):
    """Steps of a game, `[steps, numbers]` each."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    """`[steps]`."""
    following: Tensor

    @property
    def inputs(self) -> Tensor:
        """What a model sees."""
        return torch.cat([self.observations, self.actions], dim=1)

    @property
    def targets(self) -> Tensor:
        """What it predicts: the change of the observation, and the reward."""
        return torch.cat([self.following - self.observations, self.rewards[:, None]], dim=1)


class GaussianDynamics(NamedTuple):
    """The ensemble's weights `[members, weights]`, its units, and how often a member had to be drawn anew."""

    weights: Tensor
    moments: AdamMoments
    units: Tensor
    """`[2, inputs + targets]`: the means and the standard deviations of what it was fitted to."""
    resets: int = 0

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class DynamicsShape:
    """The sizes of an ensemble's networks."""

    observation: int
    action: int
    settings: DynamicsSettings = DynamicsSettings()

    @property
    def widths(self) -> tuple[int, ...]:
        """The inputs of the layers, and the outputs of the last: a mean and a log deviation for each target."""
        return (self.observation + self.action, *self.settings.hidden, 2 * (self.observation + 1))

    def initial(self, rng: Generator) -> GaussianDynamics:
        """Draw all members, with units of 1."""
        weights = torch.stack([self.draw(rng) for _ in range(self.settings.members)])
        units = torch.zeros(2, self.observation + self.action + self.observation + 1)
        units[1] = 1
        return GaussianDynamics(weights, no_moments(weights), units)

    def draw(self, rng: Generator) -> Tensor:
        """Draw a member's weights."""
        return draw_layers(self.widths, rng)

    def predict(self, weights: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log deviations, `[members, steps, targets]`, for `[members, steps, inputs]` in units."""
        sizes = [size for inputs_, outputs in pairwise(self.widths) for size in (inputs_ * outputs, outputs)]
        pieces = iter(weights.split(sizes, dim=1))
        values, layers = inputs, list(pairwise(self.widths))
        for place, (before, after) in enumerate(layers):
            weight, bias = next(pieces).view(-1, before, after), next(pieces)
            values = torch.baddbmm(bias[:, None], values, weight)
            values = values if place == len(layers) - 1 else torch.nn.functional.silu(values)
        mean, spread = values.chunk(2, dim=2)
        low, high = LOG_DEVIATION
        return mean, low + (high - low) * torch.sigmoid(spread)


def fit_dynamics(
    model: GaussianDynamics, steps: GameSteps, *, shape: DynamicsShape, updates: int, rng: Generator
) -> GaussianDynamics:
    """Return the model after gradient steps on the negative log likelihood of bootstrapped batches.

    The units are those of the steps. A member that is not finite afterwards is drawn anew, without moments.
    """
    if not all(torch.isfinite(each).all() for each in steps):
        raise ConfigError("dynamics: a step is not finite; leave it out")
    values = torch.cat([steps.inputs, steps.targets], dim=1)
    units = torch.stack([values.mean(dim=0), values.std(dim=0, correction=0).clamp(min=SMALLEST_UNIT)])
    scaled, members, count = (values - units[0]) / units[1], shape.settings.members, len(values)
    chosen = torch.from_numpy(rng.integers(count, size=(members, count)))
    weights, moments = model.weights, model.moments
    for _ in range(updates):
        drawn = torch.from_numpy(rng.integers(count, size=(members, min(shape.settings.batch, count))))
        batch = scaled[chosen.gather(1, drawn)]
        leaf = weights.clone().requires_grad_()
        loss = _negative_log_likelihood(shape, leaf, batch).mean(dim=(1, 2)).sum()
        slope = torch.autograd.grad(loss, leaf)[0]
        weights, moments = adam_step(weights, slope, moments, lr=shape.settings.lr)
    return _reset_diverged(GaussianDynamics(weights, moments, units, model.resets), shape=shape, rng=rng)


def log_likelihood(model: GaussianDynamics, steps: GameSteps, *, shape: DynamicsShape) -> float:
    """Return the mean log likelihood of steps, in nats a step, averaged over members."""
    values = (torch.cat([steps.inputs, steps.targets], dim=1) - model.units[0]) / model.units[1]
    batch = values.expand(shape.settings.members, -1, -1)
    with torch.no_grad():
        found = -_negative_log_likelihood(shape, model.weights, batch).sum(dim=2).mean()
    own_units = model.units[1, -(shape.observation + 1) :]
    return float(found - own_units.log().sum())


def sample_steps(
    model: GaussianDynamics, observations: Tensor, actions: Tensor, *, shape: DynamicsShape, rng: Generator
) -> GameSteps:
    """Return what the model draws for `[steps, numbers]` observations and actions; each step asks a random member."""
    inputs, own = torch.cat([observations, actions], dim=1), shape.observation + shape.action
    center, unit = model.units
    with torch.no_grad():
        scaled = ((inputs - center[:own]) / unit[:own]).expand(shape.settings.members, -1, -1)
        mean, spread = shape.predict(model.weights, scaled)
    asked = torch.from_numpy(rng.integers(shape.settings.members, size=len(inputs)))
    rows = torch.arange(len(inputs))
    noise = torch.from_numpy(rng.standard_normal((len(inputs), shape.observation + 1), dtype=np.float32))
    drawn = (mean[asked, rows] + spread[asked, rows].exp() * noise) * unit[own:] + center[own:]
    return GameSteps(observations, actions, drawn[:, -1], observations + drawn[:, :-1])


def dynamics_codec() -> Codec[GaussianDynamics]:
    """Return how a model is written to disk, and read again."""
    return Codec(_pack, _unpack)


def _negative_log_likelihood(shape: DynamicsShape, weights: Tensor, batch: Tensor) -> Tensor:
    """Return that of each target of `[members, steps, inputs + targets]` in units."""
    inputs, targets = batch.split([shape.observation + shape.action, shape.observation + 1], dim=2)
    mean, spread = shape.predict(weights, inputs)
    found: Tensor = ((targets - mean) / spread.exp()).square() / 2 + spread + log(2 * pi) / 2
    return found


def _reset_diverged(model: GaussianDynamics, *, shape: DynamicsShape, rng: Generator) -> GaussianDynamics:
    """Return the model with finite members."""
    lost: Sequence[int] = (~torch.isfinite(model.weights).all(dim=1)).nonzero().flatten().tolist()
    if not lost:
        return model
    weights = model.weights.clone()
    for member in lost:
        weights[member] = shape.draw(rng)
    return model._replace(weights=weights, moments=no_moments(weights), resets=model.resets + len(lost))


def _pack(model: GaussianDynamics) -> Snapshot:
    moments = {"first": model.moments.first, "second": model.moments.second}
    tensors = {"weights": model.weights, "units": model.units, **moments}
    return Snapshot(tensors, {"steps": model.moments.steps, "resets": model.resets})


def _unpack(packed: Snapshot) -> GaussianDynamics:
    tensors, numbers = packed
    moments = AdamMoments(tensors["first"], tensors["second"], numbers["steps"])
    return GaussianDynamics(tensors["weights"], moments, tensors["units"], numbers["resets"])
