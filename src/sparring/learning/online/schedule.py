"""RLA's attack during a running training (Li et al., 2022, sections 4 and 6.1): train policies, use the newest one.

Until the attack begins, policies are pre-trained in a world model of the attackers' own examples alone; from then on,
in one that also includes the learned mixture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.sb3 import Settings, train
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.policies.saved_policy import PolicyVersion, SavedPolicy, pack_policy, unpack_policy
from sparring.snapshot import Snapshot, merge

ATTACK, TRAINING = "attack", "training"
"""The parts of a snapshot."""


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


class Rehearsal(NamedTuple):
    """The progress of an attack's training."""

    packed: Snapshot
    """The snapshot to resume from."""
    steps: int
    attack: SavedPolicy
    """The policies so far, each with the round from which it is used."""
    returns: tuple[float, ...]
    """The return of each episode that ended since the last policy."""
    gained: float
    """Mean return of the newest policy in the test episodes, whether or not it is kept; 0 without test episodes."""
    best: float
    """Mean return, in the same test episodes, of the policy in use."""

    def __repr__(self) -> str:
        return briefly(self)


class Worlds(NamedTuple):
    """The simulated games to train in: before the distribution is learned, and after."""

    own: LearningTask
    learned: LearningTask

    def __repr__(self) -> str:
        return briefly(self)


def rehearse(
    worlds: Worlds,
    attack: SavedPolicy,
    *,
    settings: Settings,
    schedule: OnlineSchedule,
    seed: int,
    start: Snapshot | None = None,
) -> Iterator[Rehearsal]:
    """Train policies for `attack`, and yield the progress whenever there is a newer one.

    In each world, new policies are compared with the newest policy that the attack has at that time, if any. Resuming
    from any snapshot as `start` gives the same results, to the last bit, as an uninterrupted training.
    """
    # A new attack also goes through its serialized form, so that an interruption changes nothing.
    attack = unpack_policy(pack_policy(attack) if start is None else start.part(ATTACK), "attack")
    training, made, best, current = None, 0, -inf, None
    if start is not None:
        training = start.part(TRAINING)
        made, best, current = (start.numbers[key] for key in ("steps", "best", "world"))
    for world, (arena, until) in enumerate(zip(worlds, (schedule.attacks_from, schedule.learns_until), strict=True)):
        wanted, every = schedule.steps(until), schedule.renewed * schedule.pace
        if made >= wanted:
            continue
        if current != world:
            best = max(
                (_test(arena, old, schedule=schedule, seed=seed) for _, old in attack.versions[-1:]), default=-inf
            )
        for progress in train(arena, settings, steps=wanted, seed=seed, every=every, start=training):
            training, made = progress.packed, progress.steps
            gained = _test(arena, progress.policy, schedule=schedule, seed=seed)
            if gained >= best:
                best, newest = gained, PolicyVersion(schedule.learns_from + made // schedule.pace, progress.policy)
                attack = replace(attack, versions=(*attack.versions, newest))
            parts = {ATTACK: pack_policy(attack), TRAINING: training}
            packed = merge(parts, steps=made, best=best, world=world)
            yield Rehearsal(packed, made, attack, progress.returns, gained, best)


def _test(arena: LearningTask, policy: PolicyNetwork, *, schedule: OnlineSchedule, seed: int) -> float:
    """Return a policy's mean return in the test episodes; 0 without test episodes."""
    return evaluate_policy(arena, policy, episodes=schedule.trials, seed=seed) if schedule.trials > 0 else 0.0
