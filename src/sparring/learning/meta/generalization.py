"""How much worse a meta-policy does against a type that it was not trained for (proposition F.13)."""

from torch import Tensor

from sparring.arrays import Matrix, Vector
from sparring.errors import ConfigError


def total_variation(one: Tensor, other: Tensor) -> Tensor:
    """Return the total variation of `[..., outcomes]` distributions, half the sum of absolute differences."""
    return (one - other).abs().sum(dim=-1) / 2


def generalization_bound(
    seen: Matrix, unseen: Vector, *, step: float, lipschitz: float, discount: float = 1.0, steps: int = 1
) -> float:
    """Return C, which bounds the difference of the return after adaptation to an unseen and to the seen types.

    `seen` is `[types, outcomes]` and `unseen` `[outcomes]`: how probable each course of the follower's actions and the
    states is. C = 2ηG²/m Σ TV(unseen, seen_i) + (1 + γ + … + γ^(H-1)) TV(unseen, mean of seen), with η = `step`. It
    holds if rewards are in [0, 1] and `lipschitz`, G, bounds both the norm of every estimate ∇̂J_D and the slope of J_D.
    """
    for name, given in (("seen", seen), ("unseen", unseen[None])):
        if bool((given < 0).any()) or not bool(((given.sum(dim=1) - 1).abs() < 1e-6).all()):
            raise ConfigError(f"generalization.{name} is no distribution: it must be at least 0 and add up to 1")
    moved = 2 * step * lipschitz**2 * total_variation(seen, unseen).mean()
    valued = sum(discount**each for each in range(steps)) * total_variation(seen.mean(dim=0), unseen)
    return float(moved + valued)
