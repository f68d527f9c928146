"""CRFL (Xie et al., 2021): the new global model is clipped to a norm, and noise is added."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Vector
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.defenses.aggregation.toolkit.arithmetic import add_noise, drop_non_finite
from sparring.random import Generator
from sparring.validation import at_least, check_vector, positive


def crfl(step: Vector, parameters: Vector, *, max_norm: float, noise: float, rng: Generator) -> Vector:
    """Return the step to the model `parameters - step` after clipping it to `max_norm` and adding noise.

    w_t - (clip(w_t - step) + N(0, noise²)), with clip(w) = w / max(1, ‖w‖ / ρ) (algorithm 1), computed in float64.
    """
    step = check_vector("crfl", step, name="step")
    parameters = check_vector("crfl", parameters, name="parameters", of=step)
    positive("crfl", max_norm=max_norm)
    at_least(0, "crfl", noise=noise)
    model = parameters.double() - step.double()
    norm = float(torch.linalg.vector_norm(model))
    # A model within the bound moves by exactly the rule's own step.
    ended = step if norm <= max_norm else (parameters - model * (max_norm / norm)).to(step.dtype)
    return add_noise(ended, noise, rng=rng)


@dataclass(frozen=True)
class CRFL:
    r"""Apply `inner`, clip the resulting model to a norm ρ_t that grows with the rounds, and add noise.

    $$w_{t+1} = \frac{w}{\max(1, \lVert w \rVert / \rho_t)} + \mathcal{N}(0, \sigma^2), \quad
    w = w_t - \mathrm{inner}(u_1, \ldots, u_n)$$

    ρ_t = min(start + growth · t, max_norm) in round t = 1, 2, …; the defaults are the authors' for MNIST (for EMNIST:
    4, 0.25 and 100). Their inner rule is `mean`. The model is bounded if `server_lr` is 1. Their smoothed prediction is
    the post-training defense `smoothing`. A round without finite updates leaves the model unchanged.
    """

    inner: Defense
    """The rule that aggregates the updates, before the model is clipped."""
    start: float = 2.0
    """The norm bound on the model before the first round, above 0."""
    growth: float = 0.1
    """What each round adds to the bound, at least 0."""
    max_norm: float = 15.0
    """The largest bound on the model's L2 norm, above 0."""
    noise: float = 0.01
    """Standard deviation of the noise on each parameter."""
    paper: ClassVar[str] = (
        "Xie et al., 2021, CRFL: certifiably robust federated learning against backdoor attacks, ICML"
    )
    cost: ClassVar[str] = "O(d), and the inner rule"
    assumption: ClassVar[str] = "a model of small norm is useful, and what the inner rule assumes holds"

    def __post_init__(self) -> None:
        positive("crfl", start=self.start, max_norm=self.max_norm)
        at_least(0, "crfl", growth=self.growth, noise=self.noise)

    @property
    def family(self) -> Family:
        return family_of(self.inner)

    def limit(self, clients: int) -> int:
        return limit_of(self.inner, clients)

    def bound(self, round: int) -> float:
        """Return the norm bound of the model at the end of a round; the first round is 0."""
        return min(self.start + self.growth * (round + 1), self.max_norm)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        step, memory = self.inner.aggregate(view, memory)
        if len(drop_non_finite(view.updates)) == 0:
            return step, memory
        bound = self.bound(view.round)
        return crfl(step, view.parameters, max_norm=bound, noise=self.noise, rng=view.rng), memory
