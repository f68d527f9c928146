r"""What a server makes of updates, as attackers can learn it from models alone (MARL, section 3.5 and appendix B.3.1).

For each coordinate the step of the global model is modeled as a function of the mean of the honest updates $x$, which
attackers estimate from the distribution that they learned, and the mean of their own updates $y$. The function is the
same for all coordinates: linear, $a_0 + a_1 x + a_2 y$; quadratic, with $x^2$, $x y$ and $y^2$ beside, which are the
six parameters of the paper; or a small network.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, briefly
from sparring.errors import ConfigError
from sparring.generation.fitting import Minimization, Tensors
from sparring.learning.actor_critic.updates import Layers, draw_layers, forward, split_layers
from sparring.random import Generator
from sparring.validation import check_at_least_one, check_positive

Degree = Literal[1, 2]


class ObservedSteps(NamedTuple):
    """What attackers know of some rounds, each `[rounds, coordinates]`."""

    honest: Matrix
    """The mean of the honest updates, as they estimate it."""
    malicious: Matrix
    """The mean of their own updates."""
    steps: Matrix
    """The step of the global model."""


@dataclass(frozen=True)
class NetworkFit:
    """How a network is fitted, with Adam."""

    hidden: tuple[int, ...] = (16, 16)
    updates: int = 1000
    batch: int = 1024
    lr: float = 3e-3

    def __post_init__(self) -> None:
        check_at_least_one("aggregation", updates=self.updates, batch=self.batch)
        check_positive("aggregation", lr=self.lr)


@dataclass(frozen=True, eq=False)
class PolynomialAggregation:
    """A polynomial of the honest and the malicious mean, the same for all coordinates."""

    coefficients: Vector
    """Of 1, x, y, and of x², x y, y² if it is quadratic."""
    error: float
    """The root mean square of what it does not explain, of the steps that it was fitted to."""

    __repr__ = briefly

    @property
    def degree(self) -> Degree:
        return 1 if len(self.coefficients) == 3 else 2

    def __call__(self, honest: Tensor, malicious: Tensor) -> Tensor:
        """Return the step of the model for means of any shape."""
        return (_terms(honest, malicious, self.degree) @ self.coefficients).to(honest.dtype)


@dataclass(frozen=True, eq=False)
class NetworkAggregation:
    """A network of the honest and the malicious mean, in units of what it was fitted to."""

    layers: Layers
    scales: tuple[float, float]
    """The root mean squares of the means and of the steps."""
    error: float

    __repr__ = briefly

    def __call__(self, honest: Tensor, malicious: Tensor) -> Tensor:
        """Return the step of the model for means of any shape."""
        inputs, outputs = self.scales
        return forward(self.layers, torch.stack([honest, malicious], dim=-1) / inputs).squeeze(-1) * outputs


USUAL = NetworkFit()


def fit_polynomial(seen: ObservedSteps, *, degree: Degree = 2) -> PolynomialAggregation:
    """Fit a polynomial by least squares, in closed form."""
    _check_rounds(seen)
    if degree not in (1, 2):
        raise ConfigError(f"aggregation.degree is {degree}; it must be 1 or 2")
    terms = _terms(seen.honest, seen.malicious, degree).flatten(0, -2)
    wanted = seen.steps.double().flatten()
    # In units of their own, since squares of small updates are smaller by orders of magnitude.
    units = terms.square().mean(dim=0).sqrt().clamp(min=torch.finfo(torch.float64).tiny)
    coefficients = torch.linalg.lstsq(terms / units, wanted[:, None], driver="gelsd").solution.squeeze(1) / units
    return PolynomialAggregation(coefficients, _root_mean_square(terms @ coefficients - wanted))


def fit_network(seen: ObservedSteps, *, rng: Generator, how: NetworkFit = USUAL) -> NetworkAggregation:
    """Fit a network; equal generators give equal networks."""
    _check_rounds(seen)
    means = torch.stack([seen.honest, seen.malicious], dim=-1).flatten(0, -2).float()
    wanted, widths = seen.steps.flatten().float(), (2, *how.hidden, 1)
    scales = (_root_mean_square(means) or 1.0, _root_mean_square(wanted) or 1.0)
    descent = Minimization({"weights": draw_layers(widths, rng)}, lr=how.lr)

    def loss(tensors: Tensors, inputs: Tensor, target: Tensor) -> Tensor:
        answers = forward(split_layers(tensors["weights"], [widths])[0], inputs)
        return (answers.squeeze(-1) - target).square().mean()

    for _ in range(how.updates):
        rows = torch.from_numpy(rng.integers(len(wanted), size=min(how.batch, len(wanted))))
        descent.step(loss, means[rows] / scales[0], wanted[rows] / scales[1])
    fitted = NetworkAggregation(split_layers(descent.result()["weights"], [widths])[0], scales, 0.0)
    missed = fitted(seen.honest.float(), seen.malicious.float()) - seen.steps.float()
    return replace(fitted, error=_root_mean_square(missed))


def _terms(honest: Tensor, malicious: Tensor, degree: Degree) -> Tensor:
    """Return the terms of the polynomial in float64, `[..., terms]`."""
    x, y = honest.double(), malicious.double()
    linear = [torch.ones_like(x), x, y]
    return torch.stack(linear if degree == 1 else [*linear, x * x, x * y, y * y], dim=-1)


def _check_rounds(seen: ObservedSteps) -> None:
    shapes = [list(each.shape) for each in seen]
    if seen.steps.ndim != 2 or seen.steps.numel() == 0 or not shapes[0] == shapes[1] == shapes[2]:
        raise ConfigError(f"aggregation: means and steps of shapes {shapes}; all must be [rounds, coordinates]")
    if not all(torch.isfinite(each).all() for each in seen):
        raise ConfigError("aggregation: a mean or a step is not finite; leave such rounds out")


def _root_mean_square(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())
