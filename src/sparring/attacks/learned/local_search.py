"""RLA's local search (Li et al., 2022, section 4.3): find a bad model near the global one, submit the scaled step."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import ClassVar, Literal

import torch
from torch.nn.functional import cosine_similarity

from sparring.arrays import Batch, Matrix, Vector, row_norms
from sparring.contracts import BlackBoxView, Network
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.training import gradient, gradient_function
from sparring.training.descent import Slope, Walk, descend, walk

Variant = Literal["ascent", "reversed_descent"]


@dataclass(frozen=True)
class StealthyAscent:
    """The gradient of L(w) = (1 - λ) F(w) + λ cos(w_t - w, g(w_t)); λ is `stealth`, g the benign direction."""

    network: Network
    start: Vector
    benign: Vector
    stealth: float

    def __call__(self, parameters: Vector, batch: Batch) -> Vector:
        rise = self._rise(parameters, batch).mul_(1 - self.stealth)
        if self.stealth == 0:
            return rise
        return rise.add_(cosine_slope(self.start - parameters, self.benign), alpha=-self.stealth)

    @cached_property
    def _rise(self) -> Slope:
        return gradient_function(self.network)


def cosine_slope(offset: Vector, direction: Vector) -> Vector:
    """Return the gradient of cos(offset, direction) in `offset`; zero if either vector is zero."""
    length, other = (torch.linalg.vector_norm(vector) for vector in (offset, direction))
    if length == 0 or other == 0:
        return torch.zeros_like(offset)
    cosine = cosine_similarity(offset, direction, dim=0)
    slope: Vector = (direction / other - cosine * offset / length) / length
    return slope


@dataclass(frozen=True)
class LocalSearch:
    r"""Search the loss around the global model on the attacker's data, and submit the scaled step to the point found.

    $$\gamma \left(w_t - \frac{1}{G} \sum_{g=1}^{G} w^{(g)}\right), \quad
    L(w) = (1 - \lambda) F(w) + \lambda \cos(w_t - w, \nabla F(w_t))$$

    $w^{(g)}$ is where search $g$ ends after $E$ steps up $L$; in `reversed_descent` it goes down $F$, and $-\gamma$ is
    the factor.

    `ascent`, from the paper, climbs L and submits γ(w_t - mean of the end points) from every malicious client. In
    `reversed_descent`, from the authors' code, each search descends the loss, and -γ(w_t - mean of the end points) is
    submitted; it is the default because it is far more harmful (docs/learned_attacks.md). A search whose next point is
    not finite ends at its last finite point and is noted in the round's record.
    """

    scale: float = 15.0
    """γ: factor on the step."""
    steps: int = 25
    """E: number of steps of each search."""
    stealth: float = 0.0
    """λ, from 0 to 1: weight of the cosine to the benign direction; only for `ascent`."""
    variant: Variant = "reversed_descent"
    """The paper's search (`ascent`), or that of the authors' code (`reversed_descent`)."""
    searches: int = 1
    """G: number of searches whose end points are averaged."""
    lr: float | None = None
    """Learning rate of the searches; null means the clients' own."""
    batch: int | None = field(default=None, metadata=ADDED_LATER)
    """B̃: minibatch size of the searches; null means the clients' own."""
    shared: int | None = field(default=None, metadata=ADDED_LATER)
    """Number of examples that all malicious clients share and search on; null means all data of the sampled ones."""
    relative: bool = field(default=False, metadata=ADDED_LATER)
    """Whether γ is the length of the update in units of the median norm of the malicious clients' own updates."""
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
        ends = [self._search(view) for _ in range(self.searches)]
        if any(end.has_diverged for end in ends):
            view.note("diverged", range(len(view.clients)))
        way = view.parameters - torch.stack([end.end for end in ends]).mean(dim=0)
        sign = 1 if self.variant == "ascent" else -1
        unit = relative_unit(view, way) if self.relative else 1.0
        return way.mul_(sign * self.scale * unit).nan_to_num_().expand(len(view.clients), -1)

    def _search(self, view: BlackBoxView) -> Walk:
        lr = view.recipe.lr if self.lr is None else self.lr
        batches = self._batches(view, steps=self.steps + (self.stealth > 0))
        if self.variant == "reversed_descent":
            return descend(view.network, view.parameters, batches=batches, lr=lr)
        benign = gradient(view.network, view.parameters, batch=next(batches)) if self.stealth > 0 else view.parameters
        slope = StealthyAscent(view.network, view.parameters, benign, self.stealth)
        return walk(view.parameters, slope, batches=batches, lr=lr)

    def _batches(self, view: BlackBoxView, *, steps: int) -> Iterator[Batch]:
        shards = view.shards if self.shared is None else view.shards.shared(self.shared)
        size = view.recipe.batch if self.batch is None else self.batch
        if self.shared is not None or (self.batch is not None and isinstance(shards, CommonShards)):
            return draw_minibatches(shards[view.clients[0]], view.rng, steps=steps, size=size)
        return draw_pooled(view, steps=steps, size=size)


def relative_unit(view: BlackBoxView, way: Vector) -> float:
    """Return what makes a vector as long as the attackers' own updates are in the median; 0 for a vector of zeros."""
    length = float(torch.linalg.vector_norm(way))
    return float(row_norms(view.own()).nanmedian()) / length if length > 0 else 0.0


def draw_pooled(view: BlackBoxView, *, steps: int, size: int) -> Iterator[Batch]:
    """Draw `steps` minibatches, each from the pooled shards of all sampled malicious clients."""
    yield from map(Batch, *(part.unbind() for part in pooled_examples(view, steps=steps, size=size)))


def pooled_examples(view: BlackBoxView, *, steps: int, size: int) -> Batch:
    """Return the minibatches of `draw_pooled` as one `[steps, size, ...]` batch."""
    clients = len(view.clients)
    parts = view.shards.draw(view.clients, view.rng.spawn(clients), steps=steps, size=-(-size // clients))
    # The steps come first, in one copy.
    return Batch(*(part.transpose(0, 1).flatten(1, 2) for part in parts))


def draw_minibatches(examples: Batch, rng: Generator, *, steps: int, size: int) -> Iterator[Batch]:
    """Draw `steps` minibatches without replacement; if `size` covers all examples, yield all of them in order."""
    count = len(examples.labels)
    for _ in range(steps):
        if size >= count:
            yield examples
        else:
            chosen = torch.from_numpy(rng.choice(count, size, replace=False))
            yield Batch(examples.inputs[chosen], examples.labels[chosen])
