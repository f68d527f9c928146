"""Small networks in double precision, with data to reason about."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from sparring.arrays import Batch
from sparring.models import ModuleNetwork, network
from sparring.random import stream
from sparring.training import CrossEntropy, Utility, summed_gradient
from tests.settings import Facts

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "softplus": nn.Softplus}
LOSS = CrossEntropy()


@dataclass(frozen=True, eq=False)
class Setting:
    """A network with parameters, a minibatch and validation data, all in double precision."""

    network: ModuleNetwork
    parameters: Tensor
    batch: Batch
    validation: Batch

    def utility(self, eta: float) -> Utility:
        gradient = summed_gradient(self.network, self.parameters, batch=self.validation, objective=LOSS)
        learner = (self.network, self.parameters, LOSS, self.batch.labels)
        return Utility(*learner, eta, LOSS, self.validation, gradient)


def setting(activation: str = "softplus", *, features: int = 6, hidden: int = 8, examples: int = 5) -> Setting:
    facts = Facts(shape=(features,), classes=3, mean=(0.4,), std=(0.5,))
    layers = nn.Sequential(nn.Linear(features, hidden), ACTIVATIONS[activation](), nn.Linear(hidden, 3))
    fitted = network(layers, facts, initial="random")
    rng = stream(1, "data")

    def draw(count: int) -> Batch:
        return Batch(
            torch.from_numpy(rng.uniform(0, 1, (count, features))), torch.from_numpy(rng.integers(3, size=count))
        )

    parameters = fitted.initial(stream(0, "model")).double()
    parameters = parameters + 0.1 * torch.from_numpy(rng.standard_normal(len(parameters)))
    return Setting(fitted, parameters, draw(examples), draw(12))


class Line:
    """The model y = θx of appendix A.2.1, as a network with one parameter."""

    def split(self, parameters: Tensor) -> tuple[Tensor, ...]:
        return (parameters,)

    def forward(self, tensors: tuple[Tensor, ...], inputs: Tensor) -> Tensor:
        return inputs * tensors[0]


def cosine(one: Tensor, other: Tensor) -> float:
    return torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0).item()


def degrees(one: Tensor, other: Tensor) -> float:
    """Return the angle between two vectors; accurate for small ones."""
    one, other = (each.flatten() / each.norm() for each in (one, other))
    return torch.rad2deg(2 * torch.asin(((one - other).norm() / 2).clamp(max=1))).item()


def playing(first, second=None) -> SimpleNamespace:
    """Return a utility that is known by its gradients alone."""
    return SimpleNamespace(first=first, second=second)
