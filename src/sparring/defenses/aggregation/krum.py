"""Krum (Blanchard et al., 2017): the update whose nearest others are nearest."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector, finite_rows, neighbor_scores, squared_distances
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.columns import average
from sparring.defenses.aggregation.counts import assumed, remaining
from sparring.defenses.aggregation.settings import at_least
from sparring.defenses.aggregation.updates import check_updates
from sparring.errors import ConfigError


def krum(updates: Matrix, malicious: int) -> Vector:
    """Return the row whose squared distances to its n - `malicious` - 2 nearest others add up to the least.

    Of equal sums the first is the least. A row that is not finite is dropped, and counts as one of the malicious. Of
    fewer than three rows the median is returned, of none zeros.
    """
    check_updates("krum", updates)
    check_malicious("krum", malicious, clients=len(updates))
    return average(updates, krum_rows(updates, malicious, keep=1))


def krum_limit(clients: int) -> int:
    """Return the largest f with 2f + 2 < n, the condition of Blanchard et al., proposition 4.2."""
    return max(0, (clients - 3) // 2)


def check_malicious(rule: str, malicious: int, *, clients: int) -> None:
    """Refuse to assume more malicious rows than Krum can bear among so many."""
    at_least(0, rule, malicious=malicious)
    if clients > 0 and malicious > krum_limit(clients):
        raise ConfigError(
            f"{rule}: malicious={malicious} needs at least {2 * malicious + 3} updates, given {clients}; "
            f"use malicious <= {krum_limit(clients)}"
        )


def krum_rows(updates: Matrix, malicious: int, *, keep: int) -> list[int]:
    """Return the `keep` rows with the lowest scores, best first; where fewer than three are finite, all that are.

    The average of one or two rows is their median.
    """
    finite = finite_rows(updates).nonzero().flatten()
    if len(finite) < 3:
        return finite.tolist()
    neighbors = len(finite) - remaining(malicious, len(updates) - len(finite)) - 2
    admitted = updates if len(finite) == len(updates) else updates[finite]
    scores = neighbor_scores(squared_distances(admitted), neighbors)
    return finite[scores.argsort(stable=True)[:keep]].tolist()


@dataclass(frozen=True)
class Krum:
    """Choose the row among the nearest neighbors; a round too small for the assumed count lowers it."""

    malicious: int | None = None
    """Overrides the threat model's count."""
    family: ClassVar[Family] = "distance"

    def __post_init__(self) -> None:
        at_least(0, "krum", malicious=self.malicious)

    def limit(self, clients: int) -> int:
        return krum_limit(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        malicious = assumed(self.malicious, view, limit=self.limit(len(view.updates)))
        rows = krum_rows(view.updates, malicious, keep=1)
        view.note("selected", rows)
        return average(view.updates, rows), memory
