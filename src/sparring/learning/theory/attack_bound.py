"""The largest loss of return that a wrong data estimate causes a learned attack (Li et al., 2022, theorem 1)."""

from dataclasses import dataclass

from sparring.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """The theorem's constants of the loss ℓ(w, z), over all reachable models w and possible examples z."""

    lipschitz: float
    """L: of ℓ in (w, z)."""
    cross_smoothness: float
    """L_z: of the gradient of ℓ by w, in z."""
    convexity: float
    """α, the strong convexity of ℓ in w."""
    smoothness: float
    """β, the smoothness of ℓ in w."""
    distance: float
    """δ: maximum 1-Wasserstein distance of a benign client's data from the estimate."""
    benign: float
    """ε, the fraction of benign clients."""
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
    """Return 2Hεδ[(L + L_v) L_z η + 2L], the largest loss of return of the attack."""
    moves = (given.lipschitz + value_lipschitz(given)) * given.cross_smoothness * given.lr
    return 2 * given.steps * given.benign * given.distance * (moves + 2 * given.lipschitz)


def value_lipschitz(given: Ingredients) -> float:
    """Return L_v, the sum of K_F^t (L + L K_F) over the steps: the Lipschitz constant of the optimal value."""
    contraction = round_lipschitz(given)
    return sum(contraction**step for step in range(given.steps)) * given.lipschitz * (1 + contraction)


def round_lipschitz(given: Ingredients) -> float:
    """Return K_F = ε max(|1 - ηα|, |1 - ηβ|): the largest factor by which a round changes the distance of two models.

    That holds if attackers send the same models from both; with the same updates it is max(|1 - εηα|, |1 - εηβ|).
    """
    factors = (abs(1 - given.lr * given.convexity), abs(1 - given.lr * given.smoothness))
    return given.benign * max(factors)
