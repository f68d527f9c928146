"""What a wrong estimate of the data can cost a learned attack at most (Li et al., 2022, theorem 1)."""

from dataclasses import dataclass

from sparring.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """What the theorem takes: constants of the loss ℓ(w, z) where models w and examples z can be at all."""

    lipschitz: float
    """L: of ℓ in (w, z)."""
    cross_smoothness: float
    """L_z: of the gradient of ℓ by w, in z."""
    convexity: float
    """α, the strong convexity of ℓ in w."""
    smoothness: float
    """β, the smoothness of ℓ in w."""
    distance: float
    """δ: no benign client's data is farther from the estimate in the 1-Wasserstein distance."""
    benign: float
    """ε, the share of benign clients."""
    lr: float
    """η."""
    steps: int
    """H, the attack steps of an episode."""

    def __post_init__(self) -> None:
        if not 0 <= self.convexity <= self.smoothness:
            raise ConfigError(
                f"convexity is {self.convexity:g}; it must be at least 0, at most the smoothness ({self.smoothness:g})"
            )
        for name in ("lipschitz", "cross_smoothness", "distance", "lr", "steps"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name):g}; it must be at least 0")
        if not 0 <= self.benign <= 1:
            raise ConfigError(f"benign is {self.benign:g}; it must be a share, from 0 to 1")


def attack_bound(given: Ingredients) -> float:
    """Return 2Hεδ[(L + L_v) L_z η + 2L], the most of its return that the attack loses."""
    moves = (given.lipschitz + value_lipschitz(given)) * given.cross_smoothness * given.lr
    return 2 * given.steps * given.benign * given.distance * (moves + 2 * given.lipschitz)


def value_lipschitz(given: Ingredients) -> float:
    """Return L_v, the sum of K_F^t (L + L K_F) over the steps: the optimal value changes no faster with the model."""
    contraction = round_lipschitz(given)
    return sum(contraction**step for step in range(given.steps)) * given.lipschitz * (1 + contraction)


def round_lipschitz(given: Ingredients) -> float:
    """Return K_F = ε max(|1 - ηα|, |1 - ηβ|): no round changes the distance of two models by a larger factor.

    That is so if attackers send the same models from both. With the same updates it would be max(|1 - εηα|, |1 - εηβ|).
    """
    factors = (abs(1 - given.lr * given.convexity), abs(1 - given.lr * given.smoothness))
    return given.benign * max(factors)
