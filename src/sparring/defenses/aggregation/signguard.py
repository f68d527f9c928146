"""SignGuard (Xu et al., 2022): keep updates of typical norm whose signs are distributed like most others'."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from sparring.arrays import CELLS, Matrix, Vector, finite_rows, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import (
    clip_factors,
    draw_coordinates,
    middle,
    note_shares,
    share_average,
)
from sparring.defenses.aggregation.toolkit.clustering import largest_cluster
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.validation import at_least, check_matrix, positive

Variant = Literal["published", "released"]

TINY = 1e-8
"""Lower bound of a divisor, so that a fraction that is zero for all clients stays zero."""


def signguard(
    updates: Matrix,
    rng: Generator,
    *,
    shortest: float = 0.1,
    longest: float = 3.0,
    fraction: float = 0.1,
    variant: Variant = "published",
) -> Vector:
    """Average the rows that pass both filters, clipped to the median norm; return zeros if none does.

    The norm filter accepts norms from `shortest` to `longest` times the median. The sign filter accepts the largest
    mean-shift cluster of the fractions of positive, zero and negative values among a random `fraction` of the
    coordinates. In the variant `released`, as in the authors' code, these coordinates form a contiguous block, and each
    of the three fractions is divided by its maximum over the rows.
    """
    updates = check_matrix("signguard", updates)
    rule = SignGuard(shortest, longest, fraction, variant)
    return share_average(updates, _shares(updates, rng, rule=rule))


def _shares(updates: Matrix, rng: Generator, *, rule: "SignGuard") -> Tensor:
    """Return each row's clipping factor, 0 for a rejected row."""
    rows = finite_rows(updates).nonzero().flatten()
    norms = row_norms(updates)[rows]
    bound = middle(norms)
    alike = largest_cluster(_features(updates, rng, rule=rule)[rows])
    ordinary = (rule.shortest * bound <= norms) & (norms <= rule.longest * bound)
    shares = norms.new_zeros(len(updates))
    shares[rows] = torch.where(alike & ordinary, clip_factors(norms, bound), 0)
    return shares


def _features(updates: Matrix, rng: Generator, *, rule: "SignGuard") -> Tensor:
    """Return each row's features for the sign filter: its fractions of signs, `[clients, 3]`."""
    parameters = updates.shape[1]
    count = max(1, round(rule.fraction * parameters))
    if rule.variant == "published":
        return _signs(updates, draw_coordinates(parameters, count, rng=rng))
    count = min(count, parameters)
    signs = _signs(updates, int(rng.integers(parameters - count + 1)) + torch.arange(count))
    finite = signs[finite_rows(updates)]
    return signs / finite.amax(dim=0).clamp(min=TINY) if len(finite) > 0 else signs


def _signs(updates: Matrix, drawn: Tensor) -> Tensor:
    """Return each row's fractions of positive, zero and negative values among the drawn coordinates."""
    positive_count, zero_count = updates.new_zeros(2, len(updates), dtype=torch.float64)
    for columns in drawn.split(max(1, CELLS // max(1, len(updates)))):
        part = updates[:, columns]
        positive_count += (part > 0).sum(dim=1)
        zero_count += (part == 0).sum(dim=1)
    shares = torch.stack([positive_count, zero_count], dim=1) / len(drawn)
    return torch.cat([shares, 1 - shares.sum(dim=1, keepdim=True)], dim=1)


@dataclass(frozen=True)
class SignGuard:
    r"""Average the updates with typical norms and typical signs, clipped to the median norm.

    $$\frac{1}{|S|} \sum_{i \in S} u_i \min\left(1, \frac{m}{\lVert u_i \rVert}\right), \quad
    m = \mathrm{med}(\lVert u_1 \rVert, \ldots, \lVert u_n \rVert)$$

    $S$ holds the updates with $L m \le \lVert u_i \rVert \le R m$ whose fractions of signs lie in the largest cluster.

    The defaults are those of the authors' code. That code compares the signs differently from the paper, as in the
    variant `released`: on a block of adjacent coordinates, each fraction divided by its maximum over the clients. The
    paper's variants with a similarity feature are not implemented.
    """

    shortest: float = 0.1
    """The published L: the smallest accepted norm, as a fraction of the median norm."""
    longest: float = 3.0
    """The published R: the largest accepted norm, as a multiple of the median norm."""
    fraction: float = 0.1
    """Fraction of the coordinates whose signs are counted."""
    variant: Variant = field(default="published", metadata=ADDED_LATER)
    """How signs are compared: as `published`, or as in the code that the authors `released`."""
    family: ClassVar[Family] = "filtering"
    paper: ClassVar[str] = (
        "Xu et al., 2022, Byzantine-robust federated learning through collaborative malicious gradient filtering, ICDCS"
    )
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = "benign updates are the majority and have similar norms and similar shares of signs"

    def __post_init__(self) -> None:
        at_least(0, "signguard", shortest=self.shortest)
        positive("signguard", longest=self.longest, fraction=self.fraction)
        if self.shortest > self.longest:
            raise ConfigError(f"signguard: shortest={self.shortest}; use shortest <= longest ({self.longest})")
        if self.variant not in get_args(Variant):
            raise ConfigError(f"signguard: variant={self.variant!r}; use one of: {', '.join(get_args(Variant))}")

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        shares = _shares(view.updates, view.rng, rule=self)
        note_shares(view, shares)
        return share_average(view.updates, shares), memory
