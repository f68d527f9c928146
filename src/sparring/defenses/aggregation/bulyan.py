"""Bulyan (El Mhamdi et al., 2018): repeated Krum, then a trimmed mean around the median of the selected rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, finite_rows, squared_distances
from sparring.contracts import Count, DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import columnwise, drop_non_finite
from sparring.defenses.aggregation.toolkit.counts import check_count, lower_by_dropped, resolve_count
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def bulyan(updates: Matrix, malicious: int) -> Vector:
    """Select θ = n - 2f rows by repeated Krum, and average the θ - 2f middle values of each coordinate.

    Each Krum step scores the m rows not yet selected by the sum of their distances to the m - f - 2 nearest others, or
    to one if that is less. The middle values are those nearest the median. Ties go to the first row, or to the smaller
    value. A non-finite row is dropped and counts as one of the malicious. Return zeros if there are no rows.
    """
    updates = check_matrix("bulyan", updates)
    at_least(0, "bulyan", malicious=malicious)
    clients = len(updates)
    if clients > 0 and malicious > bulyan_limit(clients):
        raise ConfigError(
            f"bulyan: malicious={malicious} needs at least {4 * malicious + 3} updates, given {clients}; "
            f"use malicious <= {bulyan_limit(clients)}"
        )
    assumed_left = lower_by_dropped(malicious, clients - int(finite_rows(updates).sum()))
    return _nearest_middle(updates, _selection(updates, assumed_left, names=range(clients)), malicious=assumed_left)


def bulyan_limit(clients: int) -> int:
    """Return the largest f with 4f + 3 <= n, the condition of El Mhamdi et al."""
    return max(0, (clients - 3) // 4)


def _selection(updates: Matrix, malicious: int, *, names: Sequence[int]) -> list[int]:
    """Return θ of the finite rows in the order of selection; ties go to the smallest name."""
    rows = finite_rows(updates).nonzero().flatten()
    by_name = rows.new_tensor([names[row] for row in rows.tolist()]).argsort()
    distances = squared_distances(drop_non_finite(updates))[by_name][:, by_name]
    return rows[by_name[_chosen(distances, malicious)]].tolist()


def _chosen(distances: Tensor, malicious: int) -> list[int]:
    """Return the indices that Krum selects in turn, given all squared distances."""
    clients = len(distances)
    # The distance of an index to itself is set to infinity, so that it is sorted last in its row.
    ordered, others = distances.clone().fill_diagonal_(torch.inf).sort(dim=1, stable=True)
    waiting = distances.new_ones(clients, dtype=torch.bool)
    chosen: list[int] = []
    for present in range(clients, 2 * malicious, -1):
        scores = _scores(ordered, waiting[others], neighbors=max(1, present - malicious - 2))
        chosen.append(int(scores.masked_fill_(~waiting, torch.inf).argmin()))
        waiting[chosen[-1]] = False
    return chosen


def _scores(ordered: Tensor, waiting: Tensor, *, neighbors: int) -> Tensor:
    """Return the sum of each row's `neighbors` smallest distances to indices that are not selected yet."""
    counted = waiting & (waiting.cumsum(dim=1) <= neighbors) & torch.isfinite(ordered)
    return torch.where(counted, ordered, 0).sum(dim=1)


def _nearest_middle(updates: Matrix, rows: Sequence[int], *, malicious: int) -> Vector:
    """Average in each column the values of these rows that are nearest their median, all but 2f of them."""
    return columnwise(partial(_inner_values, rows=list(rows), apart=2 * malicious), updates)


def _inner_values(block: Matrix, rows: list[int], *, apart: int) -> Tensor:
    """Average each column's values nearest the median: a contiguous run of the sorted values."""
    if not rows:
        return block.new_zeros(block.shape[1])
    ordered = _sort_rows(block[rows].T.contiguous()).double()
    center = (ordered[:, (len(rows) - 1) // 2] + ordered[:, len(rows) // 2])[:, None] / 2
    kept = len(rows) - apart
    starts = (center - ordered[:, :apart] > ordered[:, kept:] - center).sum(dim=1)
    return ordered.gather(1, starts[:, None] + torch.arange(kept, device=block.device)).mean(dim=1)


def _sort_rows(rows: Matrix) -> Matrix:
    """Sort each row; in main memory with NumPy, which is faster."""
    if rows.device.type != "cpu":
        return rows.sort(dim=1).values
    return torch.from_numpy(np.sort(rows.numpy(), axis=1))


@dataclass(frozen=True)
class Bulyan:
    r"""Average, in each coordinate, the values nearest the median of the rows that repeated Krum selects.

    $$\frac{1}{\theta - 2f} \sum_{i \in M_k} u_{ik} \quad \text{for each coordinate } k, \quad \theta = n - 2f$$

    $M_k$ holds those $\theta - 2f$ of the $\theta$ selected updates whose value is nearest to their median.

    Ties in the score go to the smallest client id; a round with too few rows lowers the assumed count.
    """

    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    family: ClassVar[Family] = "distance"
    paper: ClassVar[str] = "El Mhamdi et al., 2018, The hidden vulnerability of distributed learning in Byzantium, ICML"
    cost: ClassVar[str] = "O(n^2 d + n^3)"
    assumption: ClassVar[str] = "n >= 4f + 3, and benign updates lie close together"

    def __post_init__(self) -> None:
        check_count("bulyan", self.malicious)

    def limit(self, clients: int) -> int:
        return bulyan_limit(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        updates = check_matrix("bulyan", view.updates)
        clients, finite = len(updates), int(finite_rows(updates).sum())
        assumed_left = lower_by_dropped(resolve_count(self.malicious, view, limit=clients), clients - finite)
        malicious = min(assumed_left, self.limit(finite))
        rows = _selection(updates, malicious, names=view.clients)
        view.note("selected", rows)
        return _nearest_middle(updates, rows, malicious=malicious), memory
