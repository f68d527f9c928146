"""RLA's local search (Li et al., 2022, section 4.3): a bad model near the global one, and the way there, scaled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Literal, NamedTuple

import torch
from torch.nn.functional import cosine_similarity

from sparring.arrays import Batch, Matrix, Vector, is_finite
from sparring.contracts import BlackBoxView, Network
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.training import gradient

Variant = Literal["ascent", "reversed_descent"]
Slope = Callable[[Vector, Batch], Vector]
"""The direction of a step, from a model and a minibatch."""


class Walk(NamedTuple):
    """Where a search ended, and whether it stopped because the next point was not finite."""

    end: Vector
    has_diverged: bool


@dataclass(frozen=True)
class StealthyAscent:
    """The gradient of L(w) = (1 - λ) F(w) + λ cos(w_t - w, g(w_t)); λ is `stealth`, g the benign direction."""

    network: Network
    start: Vector
    benign: Vector
    stealth: float

    def __call__(self, parameters: Vector, batch: Batch) -> Vector:
        rise = gradient(self.network, parameters, batch=batch).mul_(1 - self.stealth)
        if self.stealth == 0:
            return rise
        return rise.add_(cosine_slope(self.start - parameters, self.benign), alpha=-self.stealth)


def cosine_slope(offset: Vector, direction: Vector) -> Vector:
    """Return the gradient of cos(offset, direction) in `offset`; zero where one of the two is."""
    length, other = (torch.linalg.vector_norm(vector) for vector in (offset, direction))
    if length == 0 or other == 0:
        return torch.zeros_like(offset)
    cosine = cosine_similarity(offset, direction, dim=0)
    slope: Vector = (direction / other - cosine * offset / length) / length
    return slope


def walk(start: Vector, slope: Slope, *, batches: Iterator[Batch], lr: float) -> Walk:
    """Take a step of `lr` along `slope` for each minibatch, as long as the numbers stay finite."""
    here = start
    for batch in batches:
        ahead = here + lr * slope(here, batch)
        if not is_finite(ahead):
            return Walk(here, True)
        here = ahead
    return Walk(here, False)


@dataclass(frozen=True)
class LocalSearch:
    """Search the loss around the global model on the attacker's data, and submit the scaled way to what was found.

    `ascent`, the paper's, climbs L and submits γ(w_t - mean of the ends), from every malicious client. In
    `reversed_descent`, the authors' code, each search descends the loss, and -γ(w_t - mean of the ends) is submitted;
    it is the default, since it does far more harm (docs/learned_attacks.md). A search that leaves the finite numbers
    ends at its last finite point, which the round's record tells.
    """

    scale: float = 15.0
    """γ: what the way is multiplied by."""
    steps: int = 25
    """E: steps of each search."""
    stealth: float = 0.0
    """λ, from 0 to 1: weight of the cosine to the benign direction; `ascent` alone has it."""
    variant: Variant = "reversed_descent"
    """The paper's search (`ascent`), or that of the authors' code (`reversed_descent`)."""
    searches: int = 1
    """G: searches of which the ends are averaged."""
    lr: float | None = None
    """The searches' learning rate; the clients' own where there is none."""
    batch: int | None = field(default=None, metadata=ADDED_LATER)
    """B̃: examples in a minibatch of the search; as many as the clients train on where there is none."""
    shared: int | None = field(default=None, metadata=ADDED_LATER)
    """Examples that all malicious clients share and search on; where there is none, all that the sampled ones hold."""
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView
    paper: ClassVar[str] = (
        "Li et al., 2022, Learning to attack federated learning: a model-based reinforcement learning attack "
        "framework, NeurIPS"
    )
    cost: ClassVar[str] = "one gradient for each step of each search"
    assumption: ClassVar[str] = "the attacker's data resemble the benign clients' data"

    def __post_init__(self) -> None:
        if not 0 <= self.scale < inf:
            raise ConfigError(f"local_search.scale is {self.scale}; it must be at least 0 and finite")
        for name in ("steps", "searches", "batch", "shared"):
            if (count := getattr(self, name)) is not None and count < 1:
                raise ConfigError(f"local_search.{name} is {count}; it must be at least 1")
        if not 0 <= self.stealth <= 1:
            raise ConfigError(f"local_search.stealth is {self.stealth}; it must be from 0 to 1")
        if self.variant not in ("ascent", "reversed_descent"):
            raise ConfigError(f"local_search.variant is {self.variant!r}; it must be ascent or reversed_descent")
        if self.variant == "reversed_descent" and self.stealth > 0:
            raise ConfigError(f"local_search.stealth is {self.stealth}; reversed_descent has none, use ascent")
        if self.lr is not None and not 0 < self.lr < inf:
            raise ConfigError(f"local_search.lr is {self.lr}; it must be positive and finite")

    def craft(self, view: BlackBoxView) -> Matrix:
        ends = [self._searched(view) for _ in range(self.searches)]
        if any(end.has_diverged for end in ends):
            view.note("diverged", range(len(view.clients)))
        way = view.parameters - torch.stack([end.end for end in ends]).mean(dim=0)
        sign = 1 if self.variant == "ascent" else -1
        return way.mul_(sign * self.scale).nan_to_num_().expand(len(view.clients), -1)

    def _searched(self, view: BlackBoxView) -> Walk:
        lr = view.recipe.lr if self.lr is None else self.lr
        batches = self._batches(view, steps=self.steps + (self.stealth > 0))
        if self.variant == "reversed_descent":
            return walk(view.parameters, _Descent(view.network), batches=batches, lr=lr)
        benign = gradient(view.network, view.parameters, batch=next(batches)) if self.stealth > 0 else view.parameters
        slope = StealthyAscent(view.network, view.parameters, benign, self.stealth)
        return walk(view.parameters, slope, batches=batches, lr=lr)

    def _batches(self, view: BlackBoxView, *, steps: int) -> Iterator[Batch]:
        shards = view.shards if self.shared is None else view.shards.shared(self.shared)
        size = view.recipe.batch if self.batch is None else self.batch
        if self.shared is not None or (self.batch is not None and isinstance(shards, CommonShards)):
            return drawn(shards[view.clients[0]], view.rng, steps=steps, size=size)
        return pooled(view, steps=steps, size=size)


@dataclass(frozen=True)
class _Descent:
    """The way down the loss."""

    network: Network

    def __call__(self, parameters: Vector, batch: Batch) -> Vector:
        return gradient(self.network, parameters, batch=batch).neg_()


def pooled(view: BlackBoxView, *, steps: int, size: int) -> Iterator[Batch]:
    """Draw `steps` minibatches, each from the shards of all sampled malicious clients together."""
    clients = len(view.clients)
    parts = view.shards.draw(view.clients, view.rng.spawn(clients), steps=steps, size=-(-size // clients))
    for step in range(steps):
        yield Batch(parts.inputs[:, step].flatten(0, 1), parts.labels[:, step].flatten())


def drawn(examples: Batch, rng: Generator, *, steps: int, size: int) -> Iterator[Batch]:
    """Draw `steps` minibatches of different examples; all of them, in order, where a minibatch may hold as many."""
    count = len(examples.labels)
    for _ in range(steps):
        if size >= count:
            yield examples
        else:
            chosen = torch.from_numpy(rng.choice(count, size, replace=False))
            yield Batch(examples.inputs[chosen], examples.labels[chosen])
