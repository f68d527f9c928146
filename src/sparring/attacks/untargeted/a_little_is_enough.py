"""A little is enough, ALIE (Baruch et al., 2019): small shifts hidden in the variance of the benign updates."""

from dataclasses import dataclass
from functools import partial
from math import isfinite
from statistics import NormalDist
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.attacks.untargeted.observed_updates import (
    Knowledge,
    check_knowledge,
    craft_or_submit_own,
    moments,
    view_for,
)
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.validation import check_matrix


def a_little_is_enough(benign: Matrix, z: float) -> Vector:
    """Return the mean of the rows minus `z` population standard deviations, coordinate by coordinate."""
    benign = check_matrix("a_little_is_enough", benign, name="benign")
    mean, deviation = moments(benign)
    return (mean - z * deviation).float().nan_to_num_()


def largest_z(clients: int, malicious: int) -> float:
    """Return z_max = Φ⁻¹((n - f - s) / (n - f)), where s = ⌊n/2 + 1⌋ - f benign clients must lie beyond the malicious.

    A malicious majority needs no such client; s is then set to 1, since z would be infinite. If all benign clients
    must lie beyond, z_max is 0.
    """
    benign = clients - malicious
    supporters = max(1, clients // 2 + 1 - malicious)
    return NormalDist().inv_cdf((benign - supporters) / benign) if benign > supporters else 0.0


@dataclass(frozen=True)
class ALittleIsEnough:
    r"""Submit the benign mean, shifted by `z` standard deviations on every coordinate.

    $$\mu_k - z \sigma_k \quad \text{for each coordinate } k, \quad
    z_{\max} = \Phi^{-1}\left(\frac{n - f - s}{n - f}\right), \quad s = \left\lfloor \frac{n}{2} + 1 \right\rfloor - f$$

    $\mu$ and $\sigma$ are mean and standard deviation of the benign updates.

    The shift is subtracted from the update, as the authors' code subtracts it from the gradient; a negative `z` shifts
    in the other direction. The standard deviation is the population's, over n. The published attackers estimate mean
    and deviation from their own clients (`knowledge: partial`, which needs only a black-box view); with full knowledge
    they are computed from the benign updates. The published z is 0 for 2 malicious of 10 clients, and negative for 1:
    set `z` if so few clients are sampled (the paper uses 1.5). A single benign update has no deviation and is
    submitted unchanged; in a round without benign updates the clients submit their own.
    """

    z: float | None = None
    """Standard deviations to shift by; null means the paper's z_max for this round's numbers of clients."""
    knowledge: Knowledge = "full"
    """What it estimates from: this round's benign updates (`full`), or its own clients' updates (`partial`)."""
    paper: ClassVar[str] = (
        "Baruch et al., 2019, A little is enough: circumventing defenses for distributed learning, NeurIPS"
    )
    cost: ClassVar[str] = "O(n d)"
    assumption: ClassVar[str] = "benign updates spread so widely that a shift within their spread moves the aggregate"

    def __post_init__(self) -> None:
        check_knowledge("alie", self.knowledge)
        if self.z is not None and not isfinite(self.z):
            raise ConfigError(f"alie.z is {self.z}; it must be finite")

    @property
    def needs(self) -> type[BlackBoxView]:
        """Full knowledge requires this round's benign updates."""
        return view_for(self.knowledge)

    def craft(self, view: BlackBoxView) -> Matrix:
        z = largest_z(view.sampled, len(view.clients)) if self.z is None else self.z
        return craft_or_submit_own(view, self.knowledge, made=partial(a_little_is_enough, z=z))
