"""Graded trust: a family of rules that leads from clipping and trimming to FLTrust."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.arrays import Vector, row_norms
from sparring.contracts import DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import (
    middle,
    products_with,
    weighted_inner_mean,
    weighted_sum,
)
from sparring.errors import ConfigError
from sparring.validation import positive


@dataclass(frozen=True)
class GradedTrust:
    r"""Bound the norms, weight rows by their agreement with the server's own update, and trim the extremes of the rest.

    $$w_i = \frac{1 - \lambda}{n} + \lambda \frac{t_i}{\sum_j t_j}, \quad
    t_i = \max(0, \cos(u_i, u_0) - \tau)^p, \quad
    \bar u_i = u_i \min(1, s_i) \max(1, s_i)^\ell, \quad
    s_i = \frac{c \, \lVert u_0 \rVert^\lambda m^{1 - \lambda}}{\lVert u_i \rVert}$$

    $u_0$ is the server's own update on root data and $m$ the median norm, or 1. The result is the mean of the
    $\bar u_i$, weighted by $w_i$, in which each coordinate leaves out a share $\beta$ of the rows of positive weight,
    half of it on each side.

    Without trust ($\lambda = 0$) no root data are used: with $\ell = 0$ it is a trimmed mean of clipped rows, as
    `clipped_trimmed_mean` is. With full trust, $c = p = \ell = 1$ and $\tau = \beta = 0$ it is `fltrust`.
    """

    trust: float = 1.0
    """λ: from 0, which uses no root data, to 1."""
    max_norm: float = 3.0
    """c: norm bound, in multiples of the norm of the server's own update at full trust."""
    lift: float = 1.0
    """ℓ: from 0, which leaves rows shorter than the bound as they are, to 1, which brings them to it."""
    threshold: float = 0.0
    """τ: rows whose cosine with the server's own update is not above it are not trusted; at least -1 and below 1."""
    power: float = 2.0
    """p: how much more a row is trusted that agrees more; 0 trusts all rows above the threshold alike."""
    trim: float = 0.0
    """β: fraction of values trimmed of the rows that are kept, at least 0 and below 1."""
    relative: bool = True
    """Whether the bound, without trust, is in multiples of the median norm; otherwise it is a norm itself."""
    paper: ClassVar[str] = ""
    cost: ClassVar[str] = "O(n d log n), O(n d) without a trim, and training on the root data"
    assumption: ClassVar[str] = (
        "with trust, root data resemble the clients' data; without, what is trimmed is malicious"
    )

    def __post_init__(self) -> None:
        positive("graded_trust", max_norm=self.max_norm)
        for name, (low, high) in {"trust": (0, 1), "lift": (0, 1), "power": (0, 100)}.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"graded_trust: {name}={getattr(self, name)}; use {name} from {low} to {high}")
        for name, low in {"threshold": -1, "trim": 0}.items():
            if not low <= getattr(self, name) < 1:
                raise ConfigError(f"graded_trust: {name}={getattr(self, name)}; use {name} from {low} to below 1")

    @property
    def family(self) -> Family:
        return "root" if self.trust > 0 else "coordinate"

    def limit(self, clients: int) -> int:
        return clients

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        norms = row_norms(view.updates)
        weights, reference = self._weights(view, norms)
        factors = self._factors(norms, self.max_norm * reference)
        view.note("selected", weights.nonzero().flatten().tolist())
        view.note("clipped", ((weights > 0) & (factors < 1)).nonzero().flatten().tolist())
        each_side = int(self.trim * int((weights > 0).sum()) / 2)
        if each_side == 0:
            return weighted_sum(weights * factors, view.updates), memory
        return weighted_inner_mean(view.updates, weights, factors=factors, trim=each_side), memory

    def _weights(self, view: DefenderView, norms: Tensor) -> tuple[Tensor, float]:
        """Return each row's weight, zero for non-finite rows, and the norm that the bound is a multiple of."""
        finite = torch.isfinite(norms)
        alike = finite / finite.sum().clamp(min=1)
        own = middle(norms[finite]).item() if self.relative else 1.0
        if self.trust == 0:
            return alike, own
        root = view.root()
        norm = float(torch.linalg.vector_norm(root.double()))
        if not 0 < norm < torch.inf:
            return torch.zeros_like(norms), 0.0
        excess = products_with(root, view.updates) / norms / norm - self.threshold
        trust = torch.where(finite & (excess > 0), excess, 0.0)  # a row of zeros has no cosine
        powers = torch.where(trust > 0, trust**self.power, 0.0)
        trusted = powers / powers.sum().clamp(min=torch.finfo(powers.dtype).tiny)
        return (1 - self.trust) * alike + self.trust * trusted, norm**self.trust * own ** (1 - self.trust)

    def _factors(self, norms: Tensor, bound: float) -> Tensor:
        """Return the factor that clips a row to the bound, or lifts it towards it."""
        ratios = torch.where(torch.isfinite(norms) & (norms > 0), bound / norms, 1.0)
        return ratios.clamp(max=1) * ratios.clamp(min=1) ** self.lift
