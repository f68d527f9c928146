"""Targeted explicit boosting (Bhagoji et al., 2019), with stealth by alternating minimization."""

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch

from sparring.arrays import Batch, Matrix, Vector, is_finite
from sparring.attacks.backdoor.implant import BackdoorPoison, check_implant
from sparring.attacks.backdoor.triggers.unmarked import Unmarked
from sparring.contracts import BlackBoxView, Network, Trigger
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.training import gradient


@dataclass(frozen=True)
class TargetedBoosting(BackdoorPoison):
    r"""Alternate boosted steps down the loss of mislabeled examples with stealth steps.

    $$w \leftarrow w - \eta \, b \, \nabla F_{\mathrm{mal}}(w), \quad
    w \leftarrow w - \eta \nabla \left( F(w) + \rho \lVert u - u_{t-1} \rVert^2 \right)$$

    The first step is boosted by $b$ on the mislabeled examples; the second hides it near the last global update
    $u_{t-1}$.

    As in the paper the images have no trigger: images of one class should be classified as another. If a step
    overflows float32, training ends at the last finite point.
    """

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    trigger: Trigger = Unmarked()
    """The trigger applied to images."""
    target: int = 7
    """The class that the model should predict for these images."""
    source: int | None = 5
    """The one class whose images should be misclassified; null means all classes but the target."""
    ratio: float = 1.0
    """Fraction of these images in a minibatch that serve as mislabeled examples."""
    steps: int = 1
    """Alternations per round; each applies the full boost, so that a few of them may break the model."""
    stealth_steps: int = 10
    """Stealth steps after each boosted step."""
    lr: float | None = None
    """The learning rate of all steps; null means the clients' own."""
    boost: float | None = None
    """Factor on the step for mislabeled examples; null means sampled clients per malicious client."""
    stealth_weight: float = 1e-4
    """The weight ρ of the squared distance to the last global update."""
    paper: ClassVar[str] = "Bhagoji et al., 2019, Analyzing federated learning through an adversarial lens, ICML"
    cost: ClassVar[str] = "f gradients for each step"
    assumption: ClassVar[str] = "the rule does not bound the norm of a boosted update"

    def __post_init__(self) -> None:
        check_implant("targeted_eb", self)
        for name, low in (("steps", 1), ("stealth_steps", 0)):
            if getattr(self, name) < low:
                raise ConfigError(f"targeted_eb.{name} is {getattr(self, name)}; it must be at least {low}")
        for name in ("lr", "boost"):
            value = getattr(self, name)
            if value is not None and not 0 < value < inf:
                raise ConfigError(f"targeted_eb.{name} is {value}; it must be positive and finite")
        if not 0 <= self.stealth_weight < inf:
            raise ConfigError(f"targeted_eb.stealth_weight is {self.stealth_weight}; it must be at least 0 and finite")

    def poison(self, batch: Batch, *, client: int, rng: Generator) -> Batch:
        return self.implanted(batch, self.trigger, rng=rng)

    def craft(self, view: BlackBoxView) -> Matrix:
        slopes = Slopes(
            view.network,
            view.parameters,
            boost=view.sampled / len(view.clients) if self.boost is None else self.boost,
            stealth_weight=self.stealth_weight,
            anchor=None if view.previous is None else view.previous - view.parameters,
        )
        lr = view.recipe.lr if self.lr is None else self.lr
        rngs = view.rng.spawn(len(view.clients))
        batches = view.shards.draw(
            view.clients, rngs, steps=self.steps * (1 + self.stealth_steps), size=view.recipe.batch
        )
        rows = view.parameters.new_empty(len(view.clients), view.network.size)
        for row, rng, inputs, labels in zip(rows, rngs, *batches, strict=True):
            row.copy_(self._train(slopes, Batch(inputs, labels), lr=lr, rng=rng))
        return rows

    def _train(self, slopes: "Slopes", batches: Batch, *, lr: float, rng: Generator) -> Vector:
        """Return the update after one step per minibatch; of every `1 + stealth_steps` steps the first is boosted."""
        update = torch.zeros_like(slopes.parameters)
        for step, batch in enumerate(map(Batch, batches.inputs, batches.labels)):
            hides = step % (1 + self.stealth_steps) > 0
            slope = slopes.hiding(update, batch) if hides else slopes.boosted(update, self._mislabel(batch, rng))
            ahead = update + lr * slope
            if not is_finite(ahead):
                break
            update = ahead
        return update

    def _mislabel(self, batch: Batch, rng: Generator) -> Batch:
        chosen = self.chosen(batch.labels, rng)
        return self.triggered(Batch(batch.inputs[chosen], batch.labels[chosen]))


@dataclass(frozen=True, eq=False)
class Slopes:
    """The gradients of the two kinds of steps, at the model `parameters - update`."""

    network: Network
    parameters: Vector
    boost: float
    stealth_weight: float
    anchor: Vector | None
    """The last global update; None in the first round, where the stealth term is zero."""

    def boosted(self, update: Vector, mislabeled: Batch) -> Vector:
        """Return the boosted gradient of the loss of mislabeled examples; zero if there are none."""
        if len(mislabeled.labels) == 0:
            return torch.zeros_like(update)
        return self.boost * gradient(self.network, self.parameters - update, batch=mislabeled)

    def hiding(self, update: Vector, batch: Batch) -> Vector:
        """Return the gradient of the loss of clean examples plus ρ times the squared distance from the anchor."""
        slope = gradient(self.network, self.parameters - update, batch=batch)
        return slope if self.anchor is None else slope - 2 * self.stealth_weight * (update - self.anchor)
