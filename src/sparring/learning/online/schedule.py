"""RLA's attack while a training goes on (Li et al., 2022, sections 4 and 6.1): rehearse, then play with what is newest.

Until the attack begins, policies are learned in a model of the world that knows the attackers' own examples alone; from
then on in one that knows the learned mixture, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.attacks import TrainedAttack
from sparring.attacks.learned.trained_attack import PolicyVersion, pack_attack, unpack_attack
from sparring.errors import ConfigError
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.sb3 import Settings, train
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Snapshot, merge

ATTACK, TRAINING = "attack", "training"
"""The parts of a snapshot."""


@dataclass(frozen=True)
class OnlineSchedule:
    """When what is learned, in rounds of the real training."""

    learns_from: int = 0
    """The round from which policies are learned."""
    attacks_from: int = 100
    """The round in which the attack begins, and learning the distribution has ended."""
    learns_until: int = 400
    """The round after which no newer policy comes."""
    pace: int = 10
    """Steps that are simulated while one round is played."""
    renewed: int = 50
    """Rounds between two policies."""
    trials: int = 0
    """Episodes in which a policy must do as well as any before it in its world, and as the one that was played when
    learning there began, to be kept; with 0 each is kept."""

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
        """Return how many steps are simulated up to a round."""
        return max(0, until - self.learns_from) * self.pace


class Rehearsal(NamedTuple):
    """Where the learning of an attack stands."""

    packed: Snapshot
    """All that is needed to go on."""
    steps: int
    attack: TrainedAttack
    """The policies so far, each from the round in which it is there."""
    returns: tuple[float, ...]
    """The return of each episode that ended since the last policy."""
    gained: float
    """What the newest policy gains on trial, whether or not it is kept; without trials 0."""
    best: float
    """What the one that is played gains on the same trial."""

    def __repr__(self) -> str:
        return briefly(self)


class Worlds(NamedTuple):
    """The games to rehearse in: before the distribution is learned, and after."""

    own: LearningTask
    learned: LearningTask

    def __repr__(self) -> str:
        return briefly(self)


def rehearse(
    worlds: Worlds,
    attack: TrainedAttack,
    *,
    settings: Settings,
    schedule: OnlineSchedule,
    seed: int,
    start: Snapshot | None = None,
) -> Iterator[Rehearsal]:
    """Learn policies for `attack`, and yield where that stands whenever there is a newer one.

    In each world, newer policies are tried against the newest that the attack has by then, if any. From any snapshot as
    `start`, the same follows to the bit as without a break.
    """
    # What never was on disk is taken there and back, too, so that a break changes nothing.
    attack = unpack_attack(pack_attack(attack) if start is None else start.part(ATTACK))
    training, made, best, place = None, 0, -inf, None
    if start is not None:
        training, (made, best, place) = start.part(TRAINING), (start.numbers[key] for key in ("steps", "best", "world"))
    for world, (arena, until) in enumerate(zip(worlds, (schedule.attacks_from, schedule.learns_until), strict=True)):
        wanted, every = schedule.steps(until), schedule.renewed * schedule.pace
        if made >= wanted:
            continue
        if place != world:
            best = max(
                (_tried(arena, old, schedule=schedule, seed=seed) for _, old in attack.policies[-1:]), default=-inf
            )
        for stands in train(arena, settings, steps=wanted, seed=seed, every=every, start=training):
            training, made = stands.packed, stands.steps
            gained = _tried(arena, stands.policy, schedule=schedule, seed=seed)
            if gained >= best:
                best, newest = gained, PolicyVersion(schedule.learns_from + made // schedule.pace, stands.policy)
                attack = replace(attack, policies=(*attack.policies, newest))
            parts = {ATTACK: pack_attack(attack), TRAINING: training}
            packed = merge(parts, steps=made, best=best, world=world)
            yield Rehearsal(packed, made, attack, stands.returns, gained, best)


def _tried(arena: LearningTask, policy: PolicyNetwork, *, schedule: OnlineSchedule, seed: int) -> float:
    """Return what a policy gains on trial; without trials all are equal."""
    return evaluate_policy(arena, policy, episodes=schedule.trials, seed=seed) if schedule.trials > 0 else 0.0
