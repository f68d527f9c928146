"""One type's lesson in an iteration of Reptile: an episode, and an adaptation by the memory of this type alone.

A follower that learns then answers the adapted policy.

A lesson depends on the meta-policy and on this type's memory, wherever it is given. Memories are large and change
little, so that each stays where its lessons are given: a lesson is called with the mark of a memory's content, and a
process that does not hold a memory with this mark says so and is sent the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import FloatArray, briefly
from sparring.games.env import SeatEnv
from sparring.learning.actor_critic.memory import ReplayMemory, step_row
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.actor_critic.updates import Networks, without_moments
from sparring.learning.calls import PinnedCalls, Shelf
from sparring.learning.meta.follower_answers import FollowerAnswers
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.random import Generator, stream


class MarkedMemory(NamedTuple):
    """A replay memory, and a mark that depends on all that was ever added: equal marks are equal memories."""

    memory: ReplayMemory
    mark: str = ""

    def extend(self, rows: FloatArray) -> "MarkedMemory":
        """Return the memory with more steps; to extend the same memory by the same steps twice does no harm."""
        shape = f"{self.mark} {len(self.memory.rows)} {rows.shape}".encode()
        mark = blake2b(shape + rows.tobytes(), digest_size=16).hexdigest()
        return MarkedMemory(self.memory.extend(torch.from_numpy(rows)), mark)


class LessonCall(NamedTuple):
    """The type that is played, in which iteration, and its memory."""

    place: int
    iteration: int
    mark: str
    held: MarkedMemory | None = None
    """The memory itself, for a process that does not hold it."""
    follower: Any = None
    """The state of the type's follower, if it answers."""


class LessonAnswer(NamedTuple):
    """What a lesson leads to."""

    weights: tuple[Tensor, ...]
    """Actors, critics, target actors and target critics, adapted to the type."""
    rows: FloatArray
    """`[steps, numbers]`: the episode, as the memory has it."""
    gain: float
    """The sum of its rewards."""
    follower: Any = None
    """The state of the type's follower after its answer."""


@dataclass(frozen=True, eq=False)
class TypeLessons:
    """What the lessons of an iteration have in common."""

    seat: ActorCriticSeat
    tasks: Sequence[LearningTask]
    networks: Networks
    explorer: PolicyNetwork | None
    """The policy that plays, with noise; None plays uniform actions."""
    updates: int
    """Gradient steps of an adaptation."""
    seed: int
    answers: FollowerAnswers | None = None
    """How followers answer what is adapted; None leaves them as they are."""

    __repr__ = briefly

    def __call__(self, call: LessonCall, shelf: Shelf) -> LessonAnswer | None:
        """Give a lesson; None means that the memory is missing here."""
        held = shelf.get(call.place) if call.held is None else call.held
        if held is None or held.mark != call.mark:
            return None
        name = ("lesson", call.place, call.iteration)
        rows, gain = self._play(self.tasks[call.place], stream(self.seed, "episode", *name[1:]), name)
        shelf[call.place] = held = held.extend(rows)
        networks, rng = without_moments(self.networks), stream(self.seed, "update", *name[1:])
        for _ in range(self.updates):
            networks = self.seat.updated(networks, held.memory, rng=rng)
        return LessonAnswer(weights_of(networks), rows, gain, self._answer(call, networks))

    def _answer(self, call: LessonCall, networks: Networks) -> Any:
        """Return the state of the type's follower after its answer to adapted networks."""
        if self.answers is None:
            return call.follower
        adapted = self.seat.actor(networks)
        return self.answers.answer(call.place, self.tasks[call.place], call.follower, adapted, seed=self.seed)

    def _play(self, task: LearningTask, rng: Generator, name: tuple[str, int, int]) -> tuple[FloatArray, float]:
        """Play an episode, and return its rows and the sum of its rewards."""
        env, noise = SeatEnv(task.game, task.seat, opponents=task.opponents), stream(self.seed, *name)
        env.np_random = rng
        seen, _ = env.reset()
        rows, gain, is_over = [], 0.0, False
        while not is_over:
            action = self.seat.explore(seen, self.explorer, rng=noise)
            after, reward, is_terminated, is_truncated, _ = env.step(action)
            # The objective is the return of an episode: the horizon is its end.
            is_over, gain = is_terminated or is_truncated, gain + reward
            before, following = self.seat.remember(seen), self.seat.remember(after)
            rows.append(step_row([before], [action], reward=reward, following=[following], ended=is_over))
            seen = after
        return np.stack(rows), gain


def weights_of(networks: Networks) -> tuple[Tensor, ...]:
    """Return all weights: those of actors and critics, and of their targets."""
    return networks.actors, networks.critics, networks.target_actors, networks.target_critics


def give_lessons(
    lessons: TypeLessons, calls: Sequence[LessonCall], memories: Sequence[MarkedMemory], *, pinned: PinnedCalls
) -> list[LessonAnswer]:
    """Give lessons, each where its type is pinned, and send the memories that are missing there."""
    answers: list[LessonAnswer | None] = list(pinned(lessons, calls, pins=[call.place for call in calls]))
    lacking = [
        call._replace(held=memories[call.place]) for call, answer in zip(calls, answers, strict=True) if not answer
    ]
    late = iter(pinned(lessons, lacking, pins=[call.place for call in lacking]) if lacking else ())
    return [answer or next(late) for answer in answers]
