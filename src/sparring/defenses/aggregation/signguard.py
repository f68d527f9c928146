"""SignGuard (Xu et al., 2022): updates of ordinary length whose signs are distributed as most others' are."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from sparring.arrays import CELLS, Matrix, Vector, finite_rows, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import (
    draw_coordinates,
    middle,
    note_shares,
    share_average,
    shortened,
)
from sparring.defenses.aggregation.toolkit.clustering import largest_cluster
from sparring.defenses.aggregation.toolkit.counts import minority
from sparring.errors import ConfigError
from sparring.random import Generator
from sparring.registry import ADDED_LATER
from sparring.validation import at_least, check_matrix, positive

Variant = Literal["published", "released"]

TINY = 1e-8
"""Divides a share that is zero for all clients, so that it stays zero."""


def signguard(
    updates: Matrix,
    rng: Generator,
    *,
    shortest: float = 0.1,
    longest: float = 3.0,
    fraction: float = 0.1,
    variant: Variant = "published",
) -> Vector:
    """Average the rows that pass both filters, cut to the median norm; where none does, return zeros.

    One admits norms from `shortest` to `longest` times the median; the other the largest mean-shift cluster of the
    shares of positive, zero and negative values among a `fraction` of the coordinates, drawn at random. In the variant
    `released`, as in the authors' code, these coordinates are a block, and each of the three shares is divided by the
    largest of all rows.
    """
    updates = check_matrix("signguard", updates)
    rule = SignGuard(shortest, longest, fraction, variant)
    return share_average(updates, _shares(updates, rng, rule=rule))


def _shares(updates: Matrix, rng: Generator, *, rule: "SignGuard") -> Tensor:
    """Return what clipping leaves of each row, none of a row that is not admitted."""
    rows = finite_rows(updates).nonzero().flatten()
    norms = row_norms(updates)[rows]
    bound = middle(norms)
    alike = largest_cluster(_features(updates, rng, rule=rule)[rows])
    ordinary = (rule.shortest * bound <= norms) & (norms <= rule.longest * bound)
    shares = norms.new_zeros(len(updates))
    shares[rows] = torch.where(alike & ordinary, shortened(norms, bound), 0)
    return shares


def _features(updates: Matrix, rng: Generator, *, rule: "SignGuard") -> Tensor:
    """Return what is compared of each row: its shares of signs, `[clients, 3]`."""
    parameters = updates.shape[1]
    count = max(1, round(rule.fraction * parameters))
    if rule.variant == "published":
        return _signs(updates, draw_coordinates(parameters, count, rng=rng))
    count = min(count, parameters)
    signs = _signs(updates, int(rng.integers(parameters - count + 1)) + torch.arange(count))
    finite = signs[finite_rows(updates)]
    return signs / finite.amax(dim=0).clamp(min=TINY) if len(finite) > 0 else signs


def _signs(updates: Matrix, drawn: Tensor) -> Tensor:
    """Return each row's shares of positive, zero and negative values among the coordinates drawn."""
    positive_count, zero_count = updates.new_zeros(2, len(updates), dtype=torch.float64)
    for columns in drawn.split(max(1, CELLS // max(1, len(updates)))):
        part = updates[:, columns]
        positive_count += (part > 0).sum(dim=1)
        zero_count += (part == 0).sum(dim=1)
    shares = torch.stack([positive_count, zero_count], dim=1) / len(drawn)
    return torch.cat([shares, 1 - shares.sum(dim=1, keepdim=True)], dim=1)


@dataclass(frozen=True)
class SignGuard:
    """Average the updates of ordinary length and of ordinary signs, clipped to the median norm.

    The default numbers are those of the authors' code. That code compares the signs otherwise than the paper, as the
    variant `released` does: on a block of neighboring coordinates, each share divided by its largest over the clients.
    The paper's variants with a similarity feature are left out.
    """

    shortest: float = 0.1
    """The published L: the least norm admitted, as a share of the median norm."""
    longest: float = 3.0
    """The published R: the largest norm admitted."""
    fraction: float = 0.1
    """The share of the coordinates whose signs are counted."""
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
