"""Explicit boosting (Bhagoji et al., 2019), untargeted, as the RL attack's authors use it as a baseline."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch

from sparring.arrays import Batch, Matrix, Vector, is_finite
from sparring.attacks.untargeted.observed_updates import own_updates
from sparring.contracts import BlackBoxView, Network
from sparring.errors import ConfigError
from sparring.training import gradient


@dataclass(frozen=True)
class ExplicitBoosting:
    r"""Climb the loss on each client's own shard for a few steps, and submit the boosted result.

    $$u = b \, (w_t - w_E), \quad
    w_{e+1} = w_e + \eta \nabla \left( F(w_e) - \rho \lVert w_t - w_e - u_{\mathrm{own}} \rVert^2 \right)$$

    $F$ is the client's loss, $b$ the `boost`, $\rho$ the `stealth`, and $E$ the number of `steps` from $w_0 = w_t$.

    The stealth term keeps the change, before boosting, near that of benign training. If a step overflows float32, the
    ascent stops at the last finite point; boosted values that overflow float32 become its largest number.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    steps: int = 5
    """Steps of gradient ascent, one minibatch each, at least 1."""
    lr: float | None = None
    """The ascent's learning rate; null means the clients' own."""
    boost: float | None = None
    """Factor on the result; null means sampled clients per malicious client."""
    stealth: float = 0.0
    """Weight of the squared distance to the client's own update."""
    paper: ClassVar[str] = "Bhagoji et al., 2019, Analyzing federated learning through an adversarial lens, ICML"
    cost: ClassVar[str] = "f gradients for each step"
    assumption: ClassVar[str] = "the rule does not bound the norm of a boosted update"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"eb.steps is {self.steps}; it must be at least 1")
        for name in ("lr", "boost"):
            value = getattr(self, name)
            if value is not None and not 0 < value < inf:
                raise ConfigError(f"eb.{name} is {value}; it must be positive and finite")
        if not 0 <= self.stealth < inf:
            raise ConfigError(f"eb.stealth is {self.stealth}; it must be at least 0 and finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        lr = view.recipe.lr if self.lr is None else self.lr
        boost = view.sampled / len(view.clients) if self.boost is None else self.boost
        rngs = view.rng.spawn(len(view.clients))
        batches = view.shards.draw(view.clients, rngs, steps=self.steps, size=view.recipe.batch)
        own = own_updates(view) if self.stealth > 0 else view.parameters.new_zeros(len(view.clients), 1)
        rows = view.parameters.new_empty(len(view.clients), view.network.size)
        for row, anchor, inputs, labels in zip(rows, own, *batches, strict=True):
            climb = LossAscent(view.network, lr=lr, stealth=self.stealth, anchor=anchor)
            row.copy_(climb.update(view.parameters, Batch(inputs, labels)))
        return rows.mul_(boost).nan_to_num_()


@dataclass(frozen=True)
class LossAscent:
    """Gradient ascent on the loss minus `stealth` times the squared distance of the update from `anchor`."""

    network: Network
    lr: float
    stealth: float
    anchor: Vector

    def update(self, parameters: Vector, batches: Batch) -> Vector:
        """Return `parameters` minus the end point of the ascent, after one step per minibatch."""
        update = torch.zeros_like(parameters)
        for batch in map(Batch, batches.inputs, batches.labels):
            slope = gradient(self.network, parameters - update, batch=batch) + 2 * self.stealth * (update - self.anchor)
            ahead = update - self.lr * slope
            if not is_finite(ahead):
                break
            update = ahead
        return update
