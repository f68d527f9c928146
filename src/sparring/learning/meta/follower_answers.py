"""Followers that answer the adapted leader: the branch "meta-SG" of algorithm 1 of the meta-Stackelberg game, MSG.

In each iteration the leader adapts to a type, and then the type's follower learns against this adapted leader. It plays
what it has learned in the next iteration. A follower's learning continues where it stood; only the leader begins each
adaptation at the meta-policy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sparring.arrays import briefly
from sparring.contracts import Policy
from sparring.learning.learner import Learner
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork, constant_policy
from sparring.snapshot import Snapshot
from sparring.validation import check_at_least_one

Followers = tuple[Any, ...]
"""The state of each type's follower; None where it does not answer."""


@dataclass(frozen=True, eq=False)
class FollowerAnswers:
    """Which followers answer, and how."""

    learners: Mapping[int, Learner[Any]]
    """The learner of each follower that answers, by the place of its type; it begins with the follower's policy."""
    seat: str
    """The seat of all followers."""
    steps: int = 1
    """Steps of the game in an answer, at least: a search plays one generation for any number up to its size."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        check_at_least_one("answers", steps=self.steps)

    def initial(self, tasks: Sequence[LearningTask], *, seed: int) -> Followers:
        """Return the followers before they answer anything."""
        return tuple(
            self.learners[place].initial(self._task(task, constant_policy(task.space)), seed=seed)
            if place in self.learners
            else None
            for place, task in enumerate(tasks)
        )

    def tasks(self, tasks: Sequence[LearningTask], followers: Followers) -> list[LearningTask]:
        """Return the leader's tasks in which the followers play what they have learned."""
        return [
            replace(task, opponents={**task.opponents, self.seat: self.policy(place, task, followers[place])})
            if place in self.learners
            else task
            for place, task in enumerate(tasks)
        ]

    def policy(self, place: int, task: LearningTask, follower: Any) -> PolicyNetwork:
        """Return the policy of a type's follower, given the leader's task against the type."""
        return self.learners[place].policies(follower, self._task(task, constant_policy(task.space)))[self.seat]

    def answer(self, place: int, task: LearningTask, follower: Any, leader: Policy, *, seed: int) -> Any:
        """Return a follower after it has learned against a leader; one that does not answer stays as it is."""
        if place not in self.learners:
            return follower
        return self.learners[place].improve(follower, self._task(task, leader), steps=self.steps, seed=seed)

    def pack(self, tasks: Sequence[LearningTask], followers: Followers) -> dict[str, Snapshot]:
        """Return the parts of a snapshot that hold the followers."""
        return {
            f"follower {place}": self._codec(place, tasks).pack(follower)
            for place, follower in enumerate(followers)
            if place in self.learners
        }

    def unpack(self, tasks: Sequence[LearningTask], packed: Snapshot) -> Followers:
        """Return the followers that a snapshot holds."""
        return tuple(
            self._codec(place, tasks).unpack(packed.part(f"follower {place}")) if place in self.learners else None
            for place in range(len(tasks))
        )

    def _codec(self, place: int, tasks: Sequence[LearningTask]) -> Any:
        return self.learners[place].codec(self._task(tasks[place], constant_policy(tasks[place].space)))

    def _task(self, task: LearningTask, leader: Policy) -> LearningTask:
        """Return the follower's task against a leader, given the leader's task."""
        others = {seat: policy for seat, policy in task.opponents.items() if seat != self.seat}
        return LearningTask(task.game, self.seat, {**others, task.seat: leader})
