"""Divide and conquer, DnC (Shejwalkar & Houmansadr, 2021): drop outliers along the direction of largest variance."""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows
from sparring.contracts import Count, DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import average, draw_coordinates
from sparring.defenses.aggregation.toolkit.counts import check_count, lower_by_dropped, minority, resolve_count
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.validation import at_least, check_matrix, positive


def dnc(
    updates: Matrix,
    malicious: int,
    *,
    rng: Generator,
    iterations: int = 1,
    coordinates: int = 10_000,
    fraction: float = 1.0,
) -> Vector:
    """Average the rows that no iteration drops among the `fraction` · `malicious` with the highest scores.

    An iteration draws `coordinates` coordinates; a row's score is its squared offset from the mean along the top
    singular vector (algorithm 2). A non-finite row is dropped and counts as one of the malicious. The result is zero
    if no row remains.
    """
    updates = check_matrix("dnc", updates)
    rule = DnC(malicious, iterations, coordinates, fraction)
    clients = len(updates)
    if clients > 0 and malicious > minority(clients):
        raise ConfigError(
            f"dnc: malicious={malicious} is not a minority of {clients} updates; use malicious <= {minority(clients)}"
        )
    return average(updates, _select(updates, malicious, rng=rng, rule=rule))


def _select(updates: Matrix, malicious: int, *, rng: Generator, rule: "DnC") -> list[int]:
    """Return the rows that no iteration drops."""
    rows = finite_rows(updates).nonzero().flatten()
    suspects = ceil(rule.fraction * lower_by_dropped(malicious, len(updates) - len(rows)))
    passed = rows.new_ones(len(rows), dtype=torch.bool)
    for _ in range(rule.iterations):
        drawn = draw_coordinates(updates.shape[1], rule.coordinates, rng=rng)
        ranking = _scores(updates[rows[:, None], drawn]).argsort(stable=True)
        passed[ranking[max(1, len(rows) - suspects) :]] = False
    return rows[passed].tolist()


def _scores(part: Matrix) -> Tensor:
    """Return the squared projections of the rows' offsets from their mean on the top right singular vector.

    With C = U S Vᵀ the offsets, these are the squares of the first column of U S, computed from the Gram matrix C Cᵀ.
    """
    offsets = part.double()
    offsets -= offsets.sum(dim=0) / max(1, len(part))
    squares, vectors = torch.linalg.eigh(offsets @ offsets.T)
    scores: Tensor = squares[-1:] * vectors[:, -1:].square()
    return scores.sum(dim=1)


@dataclass(frozen=True)
class DnC:
    r"""Average the updates without the outliers along the direction of largest variance.

    $$s_i = \langle u_i - \bar u, v \rangle^2$$

    $\bar u$ is the mean of the updates on the drawn coordinates, and $v$ the top right singular vector of the offsets
    $u_i - \bar u$; the $c f$ updates with the largest $s_i$ are dropped.

    Its coordinates are drawn at random in each iteration and round. b and c default to the published 10,000 and 1.
    """

    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    iterations: int = 1
    """How often coordinates are drawn and rows removed, at least 1; only rows that are never removed count."""
    coordinates: int = 10_000
    """The published b: number of coordinates that an iteration examines."""
    fraction: float = 1.0
    """The published c: number of rows that an iteration drops for each row assumed to be malicious."""
    family: ClassVar[Family] = "filtering"
    paper: ClassVar[str] = (
        "Shejwalkar & Houmansadr, 2021, Manipulating the Byzantine: optimizing model poisoning attacks and defenses "
        "for federated learning, NDSS"
    )
    cost: ClassVar[str] = "O(n d + T (n^2 b + n^3)) for T iterations on b coordinates"
    assumption: ClassVar[str] = "benign updates are the majority, and malicious ones shift the mean in one direction"

    def __post_init__(self) -> None:
        check_count("dnc", self.malicious)
        at_least(1, "dnc", iterations=self.iterations, coordinates=self.coordinates)
        positive("dnc", fraction=self.fraction)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        malicious = resolve_count(self.malicious, view, limit=self.limit(len(view.updates)))
        rows = _select(view.updates, malicious, rng=view.rng, rule=self)
        view.note("selected", rows)
        return average(view.updates, rows), memory
