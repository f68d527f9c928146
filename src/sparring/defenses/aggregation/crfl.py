"""CRFL (Xie et al., 2021): the new global model is clipped to a norm, and perturbed."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.arrays import Vector
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.defenses.aggregation.toolkit.arithmetic import admitted, blurred
from sparring.random import Generator
from sparring.validation import at_least, check_vector, positive


def crfl(step: Vector, parameters: Vector, *, max_norm: float, noise: float, rng: Generator) -> Vector:
    """Return the step that ends at the model clipped to `max_norm`, plus noise, in place of `parameters - step`.

    w_t - (clip(w_t - step) + N(0, noise²)), with clip(w) = w / max(1, ‖w‖ / ρ) (algorithm 1), worked out in float64.
    """
    step = check_vector("crfl", step, name="step")
    parameters = check_vector("crfl", parameters, name="parameters", of=step)
    positive("crfl", max_norm=max_norm)
    at_least(0, "crfl", noise=noise)
    model = parameters.double() - step.double()
    norm = float(torch.linalg.vector_norm(model))
    # A model within the bound moves by the rule's own step, to the last bit.
    ended = step if norm <= max_norm else (parameters - model * (max_norm / norm)).to(step.dtype)
    return blurred(ended, noise, rng=rng)


@dataclass(frozen=True)
class CRFL:
    """Let `inner` make its step, then clip the model that results to a norm ρ_t that grows with the rounds, add noise.

    ρ_t = min(start + growth · t, max_norm) in round t = 1, 2, …; the defaults are the authors' for MNIST (for EMNIST:
    4, 0.25 and 100). They average, which is the rule `mean` inside. The model is bounded where `server_lr` is 1. Their
    smoothed prediction is the post-training defense `smoothing`. A round in which nothing finite arrives moves nothing.
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
    """The standard deviation of the noise on each parameter."""
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
        """Return the norm that the model is clipped to at the end of a round, of which the first is 0."""
        return min(self.start + self.growth * (round + 1), self.max_norm)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        step, memory = self.inner.aggregate(view, memory)
        if len(admitted(view.updates)) == 0:
            return step, memory
        bound = self.bound(view.round)
        return crfl(step, view.parameters, max_norm=bound, noise=self.noise, rng=view.rng), memory
