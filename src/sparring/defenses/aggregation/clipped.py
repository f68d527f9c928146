"""Clipping: a bound on the norm of every update, in front of any rule."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Matrix, Vector, row_norms
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.validation import check_matrix, positive


def clip_rows(updates: Matrix, max_norm: float) -> Matrix:
    """Clip the rows longer than `max_norm` to it; if there are none, return `updates` itself.

    Non-finite rows are returned unchanged, for the following rule to drop.
    """
    updates = check_matrix("clip_rows", updates)
    positive("clip_rows", max_norm=max_norm)
    return _scale(updates, _shares(updates, max_norm))


def _shares(updates: Matrix, max_norm: float) -> Tensor:
    """Return each row's clipping factor."""
    norms = row_norms(updates)
    return torch.where(torch.isfinite(norms), max_norm / norms, 1).clamp_(max=1)


def _scale(updates: Matrix, shares: Tensor) -> Matrix:
    if (shares == 1).all():
        return updates
    # In two steps: the factor of a row of values near 1e38 may underflow float32, its square root does not.
    roots = shares.sqrt()[:, None].to(updates.dtype)
    return (updates * roots).mul_(roots)


@dataclass(frozen=True)
class Clipped:
    r"""Clip the norm of every update before `inner` aggregates them.

    $$u_i \leftarrow u_i \min\left(1, \frac{c}{\lVert u_i \rVert}\right)$$

    $c$ is `max_norm`.
    """

    inner: Defense
    """The rule that aggregates the clipped updates."""
    max_norm: float = 2.0
    """The largest L2 norm of an update, above 0; longer updates are scaled down to it."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(n d), and the inner rule"
    assumption: ClassVar[str] = "benign updates mostly keep to the norm bound, and what the inner rule assumes holds"

    def __post_init__(self) -> None:
        positive("clipped", max_norm=self.max_norm)

    @property
    def family(self) -> Family:
        return family_of(self.inner)

    def limit(self, clients: int) -> int:
        return limit_of(self.inner, clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        shares = _shares(view.updates, self.max_norm)
        view.note("clipped", (shares < 1).nonzero().flatten().tolist())
        return self.inner.aggregate(view._replace(updates=_scale(view.updates, shares)), memory)
