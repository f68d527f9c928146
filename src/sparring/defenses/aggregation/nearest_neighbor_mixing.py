"""Nearest-neighbor mixing (Allouah et al., 2023): apply any rule to averages of neighboring updates."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.arrays import Matrix, Vector, column_blocks, finite_rows, squared_distances
from sparring.contracts import Count, DefenderView, Defense, Family, Memory, family_of, is_oracle, limit_of
from sparring.defenses.aggregation.toolkit.arithmetic import drop_non_finite
from sparring.defenses.aggregation.toolkit.client_memory import refuse_per_client
from sparring.defenses.aggregation.toolkit.counts import check_count, lower_by_dropped, minority, resolve_count
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def nearest_neighbor_mixing(updates: Matrix, malicious: int) -> Matrix:
    """Replace each row by the average of the n - `malicious` rows nearest to it, including itself.

    Ties go to the first rows. Non-finite rows count as malicious, are in no average, and are returned unchanged for
    the following rule to drop.
    """
    updates = check_matrix("nearest_neighbor_mixing", updates)
    at_least(0, "nearest_neighbor_mixing", malicious=malicious)
    clients = len(updates)
    if clients > 0 and malicious > minority(clients):
        raise ConfigError(
            f"nearest_neighbor_mixing: malicious={malicious} is not a minority of {clients} updates; "
            f"use malicious <= {minority(clients)}"
        )
    rows = finite_rows(updates).nonzero().flatten()
    distances = squared_distances(drop_non_finite(updates))
    return _averages(
        updates, rows, shares=_shares(distances, len(rows) - lower_by_dropped(malicious, clients - len(rows)))
    )


def _shares(distances: Tensor, neighbors: int) -> Tensor:
    """Return each row's weight in each average: equal weights for the nearest rows."""
    nearest = distances.argsort(dim=1, stable=True)[:, :neighbors]
    return distances.new_zeros(distances.shape).scatter_(1, nearest, 1 / max(1, neighbors))


def _averages(updates: Matrix, rows: Tensor, *, shares: Tensor) -> Matrix:
    """Return a copy of the matrix in which these rows are averages of one another; no further copy is made."""
    mixed = updates.new_empty(updates.shape)
    for columns in column_blocks(updates):
        block = updates[:, columns]
        mixed[:, columns] = block
        mixed[rows, columns] = (shares @ block[rows].double()).to(updates.dtype)
    return mixed


@dataclass(frozen=True)
class NearestNeighborMixing:
    r"""Average every update with its nearest neighbors before `inner` aggregates them; both assume the same count.

    $$u_i \leftarrow \frac{1}{n - f} \sum_{j \in N_i} u_j$$

    $N_i$ holds the $n - f$ updates nearest to $u_i$, itself included.

    An inner rule with its own count, a number or `sampled`, keeps that count.

    A round with too few rows lowers the count to what both support. A rule with per-client memory is rejected: it
    would attribute its neighbors' updates to a client.
    """

    inner: Defense
    """The rule that aggregates the averages of neighbors."""
    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    paper: ClassVar[str] = (
        "Allouah et al., 2023, Fixing by mixing: a recipe for optimal Byzantine ML under heterogeneity, AISTATS"
    )
    cost: ClassVar[str] = "O(n^2 d), and the inner rule"
    assumption: ClassVar[str] = "benign updates are the majority, and what the inner rule assumes holds"

    def __post_init__(self) -> None:
        check_count("nearest_neighbor_mixing", self.malicious)
        refuse_per_client("nearest_neighbor_mixing", self.inner)

    @property
    def family(self) -> Family:
        return family_of(self.inner)

    def limit(self, clients: int) -> int:
        return min(minority(clients), limit_of(self.inner, clients))

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        malicious = resolve_count(self.malicious, view, limit=self.limit(len(view.updates)))
        mixed = nearest_neighbor_mixing(view.updates, malicious)
        inner_count = view.malicious if is_oracle(self.inner) else malicious
        return self.inner.aggregate(view._replace(updates=mixed, malicious=inner_count), memory)
