"""RLA's attack during a running training (Li et al., 2022, sections 4 and 6.1): train policies, use the newest one.

Until the attack begins, policies are pre-trained in a world model of the attackers' own examples alone; from then on,
in one that also includes the learned mixture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple

from sparring.arrays import briefly
from sparring.learning.evaluation import evaluate_policy
from sparring.learning.learner import Learner, train
from sparring.learning.online.schedule import OnlineSchedule, PolicyTrial
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.policies.saved_policy import PolicyVersion, SavedPolicy, pack_policy, unpack_policy
from sparring.snapshot import Codec, Snapshot, pack_fields, unpack_fields


class OnlineTrainingState(NamedTuple):
    """The progress of an attack's training."""

    training: Any
    """The state of the learner."""
    attack: SavedPolicy
    """The policies so far, each with the round from which it is used."""
    trials: tuple[PolicyTrial, ...] = ()
    """The evaluation of each policy."""
    world: int = -1
    """The index of the world to which `best` belongs; -1 before any."""
    best: float = -inf

    @property
    def steps(self) -> int:
        return int(self.training.steps)

    def __repr__(self) -> str:
        return briefly(self)


class Worlds(NamedTuple):
    """The simulated games to train in: before the distribution is learned, and after."""

    own: LearningTask
    learned: LearningTask

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class OnlineLearner:
    """Trains policies for an attack at the pace of the rounds of the attacked training.

    In each world, new policies are compared with the newest policy that the attack has at that time, if any.
    """

    learner: Learner[Any]
    schedule: OnlineSchedule
    seed: int

    def train(
        self, worlds: Worlds, attack: SavedPolicy, *, start: OnlineTrainingState | None = None
    ) -> Iterator[OnlineTrainingState]:
        """Train policies for `attack`, and yield the state after each chunk, at the latest with each newer policy.

        From any state as `start` the rest is bit-identical.
        """
        state, schedule = start, self.schedule
        for world, (task, until) in enumerate(zip(worlds, (schedule.attacks_from, schedule.learns_until), strict=True)):
            wanted = schedule.steps(until)
            if (0 if state is None else state.steps) >= wanted:
                continue
            if state is None:
                # A new attack also goes through its serialized form, so that an interruption changes nothing.
                state = OnlineTrainingState(
                    self.learner.initial(task, seed=self.seed), unpack_policy(pack_policy(attack), "attack")
                )
            if state.world != world:
                known = [self._test(task, version.policy) for version in state.attack.versions[-1:]]
                state = state._replace(world=world, best=max(known, default=-inf))
            for newer in self._train_until(wanted, state, task):
                state = newer
                yield state

    def codec(self, worlds: Worlds) -> Codec[OnlineTrainingState]:
        """Return how a state is written to disk, and read again."""
        codec = self.learner.codec(worlds.learned)

        def pack(state: OnlineTrainingState) -> Snapshot:
            parts = {"training": codec.pack(state.training), "attack": pack_policy(state.attack)}
            return pack_fields(state._asdict() | parts)

        def unpack(packed: Snapshot) -> OnlineTrainingState:
            state = unpack_fields(packed, kind=OnlineTrainingState, parts=("training", "attack"))
            return state._replace(
                training=codec.unpack(state.training),
                attack=unpack_policy(packed.part("attack"), "attack"),
                trials=tuple(PolicyTrial(*trial) for trial in state.trials),
            )

        return Codec(pack, unpack)

    def _train_until(
        self, wanted: int, state: OnlineTrainingState, task: LearningTask
    ) -> Iterator[OnlineTrainingState]:
        """Train in one world until `wanted` steps are made in total."""
        while state.steps < wanted:
            renewal = state.trials[-1].steps if state.trials else 0
            due = min(wanted, renewal + self.schedule.renewed * self.schedule.pace)
            for training in train(self.learner, task, steps=due, seed=self.seed, start=state.training):
                state = state._replace(training=training)
                if training.steps >= due:
                    state = self._renew(state, task)
                yield state

    def _renew(self, state: OnlineTrainingState, task: LearningTask) -> OnlineTrainingState:
        """Return the state after the evaluation of a newer policy, which is kept if it is as good as the best."""
        chosen = self.learner.choose(state.training, task, seed=self.seed)
        policy = self.learner.policies(chosen, task)[task.seat]
        gained, attack, best = self._test(task, policy), state.attack, state.best
        if gained >= best:
            newest = PolicyVersion(self.schedule.learns_from + state.steps // self.schedule.pace, policy)
            best, attack = gained, replace(attack, versions=(*attack.versions, newest))
        trials = (*state.trials, PolicyTrial(state.steps, gained, best))
        return state._replace(attack=attack, best=best, trials=trials)

    def _test(self, task: LearningTask, policy: PolicyNetwork) -> float:
        """Return a policy's mean return in the test episodes; 0 without test episodes."""
        trials = self.schedule.trials
        return evaluate_policy(task, policy, episodes=trials, seed=self.seed) if trials > 0 else 0.0
