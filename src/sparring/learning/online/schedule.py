"""When RLA trains policies during an attacked training (Li et al., 2022, sections 4 and 6.1), and how they do."""

from dataclasses import dataclass
from typing import NamedTuple

from sparring.errors import ConfigError


@dataclass(frozen=True)
class OnlineSchedule:
    """When policies are trained, in rounds of the attacked training."""

    learns_from: int = 0
    """The round from which policies are trained."""
    attacks_from: int = 100
    """The round in which the attack begins, and by which the distribution is learned."""
    learns_until: int = 400
    """The round after which no new policy is added."""
    pace: int = 10
    """Simulated steps per round of the attacked training."""
    renewed: int = 50
    """Rounds between two policies."""
    trials: int = 0
    """Test episodes per policy. It is kept only if its return is at least that of every earlier policy in its world and
    of the policy in use when training there began; with 0 each policy is kept."""

    def __post_init__(self) -> None:
        for name in ("attacks_from", "pace", "renewed"):
            if getattr(self, name) < 1:
                raise ConfigError(f"schedule.{name} is {getattr(self, name)}; it must be at least 1")
        if self.trials < 0:
            raise ConfigError(f"schedule.trials is {self.trials}; it must be at least 0")
        if not 0 <= self.learns_from <= self.attacks_from:
            raise ConfigError(
                f"schedule.learns_from is {self.learns_from}; it must be from 0 to attacks_from ({self.attacks_from})"
            )
        if self.learns_until < self.attacks_from or self.learns_until == self.learns_from:
            raise ConfigError(
                f"schedule.learns_until is {self.learns_until}; it must be at least attacks_from ({self.attacks_from}) "
                f"and above learns_from ({self.learns_from})"
            )

    def steps(self, until: int) -> int:
        """Return the number of steps simulated up to a round."""
        return max(0, until - self.learns_from) * self.pace


class PolicyTrial(NamedTuple):
    """The evaluation of policies in simulation: the increase of the loss over an episode."""

    steps: int
    gained: float
    """The mean return of the latest policy, whether or not it is kept; 0 without test episodes."""
    best: float
    """The mean return, in the same test episodes, of the policy that is used."""
