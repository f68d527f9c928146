"""Step sizes and counts that lead to an ε-meta-FOSE (theorem F.8), from a game's constants.

With the follower's step κ_A = 1/ℓ, ℓ the smoothness of L_A in φ, its expected loss against the best answer shrinks by
ρ = 1 - μ/ℓ a step, up to the noise: after N_A steps it is at most ρ^N_A G²/(2μ) + σ²/(2μ N_b). So the leader's
gradient is off by at most L12/μ √(ρ^N_A G² + σ²/N_b), and the proof of theorem F.8 needs that to be at most

    δ = L ε² / (4 D_Θ (2 V_∞ + L D_Θ)²).

Each of the two terms gets half of (δ μ / L12)². The follower's own gradient is at most ε if their sum is at most
(ε μ / L21)². Lemma F.7 prints other counts, which are here to be compared: its N_b falls with the noise, because what
its proof ends with is solved wrongly. There, D_V stands where D_Θ is needed.
"""

from dataclasses import dataclass
from math import ceil, inf, log
from typing import NamedTuple

from sparring.errors import ConfigError
from sparring.validation import check_positive


@dataclass(frozen=True, kw_only=True)
class GameConstants:
    """Assumptions F.2, F.3, 3.2 and F.6: L_D and L_A are the returns of both players after the leader's adaptation."""

    leader_smoothness: float
    """L11: of L_D in θ."""
    cross_smoothness: float
    """L12: how the gradient of L_D in θ changes with φ."""
    answer_smoothness: float
    """L21: of L_A in φ, and of its gradient as θ changes."""
    tilt_smoothness: float
    """L22: of L_D in φ."""
    curvature: float
    """μ of the Polyak-Łojasiewicz condition of L_A in φ."""
    gradient: float
    """G: the largest norm of a player's gradient, as the proof has it; assumption F.6 prints G² there."""
    noise: float
    """σ: the standard deviation of a gradient of one episode."""
    diameter: float
    """D_Θ, of the leader's strategies."""
    gap: float
    """D_V: how much better than the start the best meta-policy is."""
    slope: float
    """The largest norm of ∇V."""
    competition: float = -1.0
    """c < 0: J_D = c J_A + d."""

    def __post_init__(self) -> None:
        may_vanish = ("noise", "slope", "competition")
        positive = {name: value for name, value in vars(self).items() if name not in may_vanish}
        check_positive("constants", **positive)
        if self.competition >= 0:
            raise ConfigError(f"constants.competition is {self.competition}; competitive games have it below 0")
        if self.curvature > self.answer_smoothness:
            raise ConfigError(
                f"constants.curvature is {self.curvature}; it is at most answer_smoothness ({self.answer_smoothness})"
            )

    @property
    def smoothness(self) -> float:
        """L = L11 + L12 L21 / μ, of V."""
        return self.leader_smoothness + self.cross_smoothness * self.answer_smoothness / self.curvature

    @property
    def steepness(self) -> float:
        """2 V_∞ + L D_Θ, where V_∞ is the largest norm of ∇V, but at least 1."""
        return 2 * max(self.slope, 1.0) + self.smoothness * self.diameter


class Counts(NamedTuple):
    """The follower's steps N_A in each iteration, and the episodes N_b of each estimate."""

    answers: int
    episodes: float
    """A whole number, unless it is infinite: as printed, without noise."""


class LearningSchedule(NamedTuple):
    """Settings with which `MetaStackelberg` finds an ε-meta-FOSE."""

    leader_step: float
    """κ_D = 1/L."""
    follower_step: float
    """κ_A = 1/L21, as in the proof; the theorem has 1/L22, which is the same in a zero-sum game."""
    iterations: int
    """N_D, of the order ε⁻²."""
    counts: Counts
    """Of the orders log ε⁻¹ and ε⁻⁴."""
    printed: Counts
    """What lemma F.7 says."""
    displayed: Counts
    """What the last display of the proof of lemma F.7 says: as printed, but N_b grows with the noise."""


def learning_schedule(given: GameConstants, accuracy: float) -> LearningSchedule:
    """Return the schedule for ε = `accuracy`."""
    check_positive("schedule", accuracy=accuracy)
    off = given.smoothness * accuracy**2 / (4 * given.diameter * given.steepness**2)
    distance = min(off / given.cross_smoothness, accuracy / given.answer_smoothness)
    allowed = (distance * given.curvature) ** 2 / 2
    rate = 1 - given.curvature / given.answer_smoothness
    iterations = 4 * given.gap * given.steepness**2 / (given.smoothness * accuracy**2)
    return LearningSchedule(
        1 / given.smoothness,
        1 / given.answer_smoothness,
        ceil(iterations),
        Counts(_halvings(given.gradient**2 / allowed, rate), max(1, ceil(given.noise**2 / allowed))),
        printed=_published(given, accuracy, solved=False),
        displayed=_published(given, accuracy, solved=True),
    )


def _published(given: GameConstants, accuracy: float, *, solved: bool) -> Counts:
    """Return the counts of lemma F.7: its statement's, or with the last display of its proof solved for N_b."""
    strength, size = abs(given.competition), given.smoothness
    widest = max(
        given.leader_smoothness,
        given.cross_smoothness,
        given.tilt_smoothness,
        given.answer_smoothness,
        max(given.slope, 1.0),
    )
    scale = 32 * given.gap**2 * given.steepness**4 / accuracy**4
    answers = scale * widest * strength * given.gradient**2 / (size**2 * given.curvature**2)
    ratio = strength * (given.tilt_smoothness * given.noise / given.answer_smoothness) ** 2
    if solved:
        episodes = scale * ratio * widest / (size * given.curvature) ** 2
    else:
        episodes = scale * given.curvature / (ratio * widest * size) if ratio else inf
    rate = 1 - given.curvature / (strength * given.tilt_smoothness)
    return Counts(_halvings(answers, rate), episodes if episodes == inf else max(1, ceil(episodes)))


def _halvings(ratio: float, rate: float) -> int:
    """Return how many factors `rate` shrink something by `ratio`."""
    return max(1, ceil(log(ratio) / -log(rate))) if rate > 0 and ratio > 1 else 1
