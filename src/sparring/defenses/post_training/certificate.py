"""Certificates of a smoothed model: bounds on the vote probabilities, and radii within which the vote cannot change."""

from collections.abc import Sequence
from math import inf, log, prod

import torch
from torch import Tensor

from sparring.errors import ConfigError


def vote_bounds(votes: Tensor, alpha: float = 0.001) -> tuple[Tensor, Tensor]:
    """Bound the winner's probability from below and all others' from above, given `[examples, classes]` vote counts.

    All bounds of an example hold at once with probability 1 - alpha, by Hoeffding's inequality for both sides of every
    class. (Xie et al., 2021, apply it to two classes, selected by the same votes.)
    """
    if not 0 < alpha < 1:
        raise ConfigError(f"certificate: alpha={alpha}; use alpha above 0 and below 1")
    drawn = votes.sum(dim=1)
    shares = (votes / drawn[:, None]).double().sort(dim=1, descending=True).values
    slack = (log(2 * votes.shape[1] / alpha) / (2 * drawn.double())).sqrt()
    return (shares[:, 0] - slack).clamp(min=0), (shares[:, 1] + slack).clamp(max=1)


def gaussian_radius(lower: Tensor, upper: Tensor, *, noise: float) -> Tensor:
    """Return the norm of the smallest shift of the smoothed quantity that can change the vote; 0 if none is certified.

    σ/2 · (Φ⁻¹(p_A) - Φ⁻¹(p_B)) for Gaussian noise of standard deviation σ = `noise` (Cohen et al., 2019, theorem 1).
    """
    radius: Tensor = noise / 2 * (torch.special.ndtri(lower) - torch.special.ndtri(upper))
    return radius.clamp(min=0)


def contraction(norms: Sequence[float], *, noise: float) -> float:
    """Return the factor by which rounds of clipping to `norms` and adding noise shrink a difference of two models.

    Π (2 Φ(ρ_t / σ) - 1) over the rounds after the attack (Xie et al., 2021).
    """
    bounds = torch.tensor([float(bound) for bound in norms], dtype=torch.double)
    left: list[float] = (2 * torch.special.ndtr(bounds / noise) - 1).tolist()
    return prod(left)


def backdoor_radius(
    lower: Tensor, upper: Tensor, *, noise: float, reach: Sequence[float], smoothness: float, left: float = 1.0
) -> Tensor:
    """Return the norm of the largest trigger in the training data that provably cannot change the vote.

    RAD = √(-log(1 - (√p_A - √p_B)²) σ² / (2 R L² · Σ_i reach_i² · left)) for R attackers in one round, each with the
    reach p γ τ η q_B/n_B: its weight, its scale, its local steps, its learning rate and the poisoned fraction of its
    batches. `smoothness` is L, the Lipschitz constant of the gradient in the data; `left` is the `contraction` of the
    rounds that followed (Xie et al., 2021).
    """
    gap = (lower.sqrt() - upper.sqrt()).clamp(min=0, max=1)
    carried = 2 * len(reach) * smoothness**2 * sum(each**2 for each in reach) * left
    information = -torch.log1p(-gap.square()) * noise**2
    return (information / carried).sqrt() if carried > 0 else torch.full_like(lower, inf)
