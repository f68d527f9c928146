"""What is measured of a central training: in each round, and of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch

from sparring.arrays import Batch, Vector, briefly, in_chunks, pixels
from sparring.contracts import Network, Objective
from sparring.records import round_number
from sparring.training import evaluate
from sparring.training.evaluation import CHUNK
from sparring.training.gradients import summed_gradient


@dataclass(frozen=True, kw_only=True)
class CentralRecord:
    """The measurements of one round, in which the learner took one step; round 0 is the initial model.

    Norms are means over the minibatch; metrics are None if the round was not evaluated.
    """

    round: int
    perturbed: float | None = None
    """The mean Euclidean norm of what the attacker added to an example."""
    purified: float | None = None
    """The mean Euclidean norm of what the defender added; None if it trains on other examples."""
    step_norm: float | None = None
    """The norm of the learner's step."""
    events: Mapping[str, int] | None = None
    """The number of examples by what the players noted, such as `still`: a gradient of zero."""
    loss: float | None = None
    accuracy: float | None = None
    class_accuracy: tuple[float | None, ...] | None = None
    conversion_rate: float | None = None
    """The fraction of the test examples of other classes that are classified as the attacker's target."""
    evasion_rate: float | None = None
    """The fraction of the test examples of the attacker's target that are classified as another class."""
    gradient_norm: float | None = None
    """The sum of the norms of the training examples' gradients, before any perturbation; None unless asked for."""

    __repr__ = briefly

    @property
    def headline(self) -> dict[str, float]:
        """What is shown beside the accuracy while the training runs."""
        rates = {"conversion": self.conversion_rate, "evasion": self.evasion_rate}
        return {name: rate for name, rate in rates.items() if rate is not None}

    @property
    def details(self) -> dict[str, float]:
        """Further scalars of the round, by their names in a board."""
        values = {"norms/perturbed": self.perturbed, "norms/purified": self.purified, "norms/step": self.step_norm}
        rates = {"conversion_rate": self.conversion_rate, "evasion_rate": self.evasion_rate}
        values["norms/gradient"] = self.gradient_norm
        counts = {f"examples/{event}": float(count) for event, count in (self.events or {}).items()}
        return {name: value for name, value in {**values, **rates, **counts}.items() if value is not None}


class CentralMeasures(NamedTuple):
    """The metrics of a model, by the names of a record's fields; None where a metric is undefined."""

    loss: float | None
    accuracy: float
    class_accuracy: tuple[float | None, ...]
    conversion_rate: float | None = None
    evasion_rate: float | None = None


def measure_central(network: Network, parameters: Vector, *, on: Batch, target: int | None) -> CentralMeasures:
    """Evaluate a model on labeled examples; with a target class, how often it is predicted and avoided, too."""
    loss, accuracy, by_class = evaluate(network, parameters, on=on)
    rates = (None, None) if target is None else _rates(network, parameters, on=on, target=target)
    return CentralMeasures(_finite(loss), accuracy, tuple(map(_finite, by_class)), *rates)


@torch.no_grad()
def _rates(network: Network, parameters: Vector, *, on: Batch, target: int) -> tuple[float | None, float | None]:
    """Return the share of other examples classified as the target, and of the target's as another class."""
    tensors = network.split(parameters)
    hits = [network.forward(tensors, pixels(part)).argmax(dim=1) == target for part in in_chunks(on.inputs, CHUNK)]
    is_hit, is_target = torch.cat(hits), on.labels == target
    shares = (is_hit[~is_target].double().mean().item(), (~is_hit[is_target]).double().mean().item())
    return _finite(shares[0]), _finite(shares[1])


def sum_gradient_norms(network: Network, parameters: Vector, *, on: Batch, objective: Objective) -> float | None:
    """Return the sum over examples of the norm of each one's gradient in the parameters; None if it is not finite."""
    total = 0.0
    for inputs, labels in zip(pixels(on.inputs).split(1), on.labels.split(1), strict=True):
        own = summed_gradient(network, parameters, batch=Batch(inputs, labels), objective=objective)
        total += torch.linalg.vector_norm(own).item()
    return round_number(total) if isfinite(total) else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
