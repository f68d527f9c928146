"""Reptile with TD3 inside (algorithm 2 of the meta-Stackelberg game, MSG): one meta-policy for several types.

In each iteration, for each type that is played: take the meta-policy, play an episode into the memory of this type,
take a few gradient steps of TD3 from there. Then the meta-policy moves towards the mean of what the types lead to. That
is done with all tensors: the actor, the critics, and their targets. The optimizer's moments are fresh in each
adaptation, or those of one type would move the policy against another.

With `answers` followers learn as well (algorithm 1, the branch "meta-SG"): that of a type is improved against the
policy that was adapted to it, and plays what it has learned in the next iteration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from sparring.arrays import briefly
from sparring.contracts import Space
from sparring.learning.actor_critic.memory import empty_memory, unpack_memory
from sparring.learning.actor_critic.seat import ActorCriticSeat
from sparring.learning.actor_critic.updates import (
    Networks,
    UpdateSettings,
    pack_networks,
    unpack_networks,
    without_moments,
)
from sparring.learning.calls import PinnedCalls, pinned_in_turn
from sparring.learning.meta.follower_answers import FollowerAnswers, Followers
from sparring.learning.meta.type_lessons import (
    LessonAnswer,
    LessonCall,
    MarkedMemory,
    TypeLessons,
    give_lessons,
    weights_of,
)
from sparring.learning.meta.typed_tasks import draw_types
from sparring.learning.training_env import LearningTask
from sparring.learning.types_in_turn import TypesInTurn
from sparring.policies.encoder import Encoder
from sparring.policies.network import PolicyNetwork
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot, merge
from sparring.validation import check_at_least_one, check_kind, check_positive

USUAL = UpdateSettings()


class ReptileTraining(NamedTuple):
    """The state of a training."""

    networks: Networks
    """The meta-policy's, whose moments stay at zero."""
    memories: tuple[MarkedMemory, ...]
    """That of each type."""
    iterations: int
    steps: int
    """Steps of all types' games."""
    returns: tuple[float, ...]
    """The mean return of each iteration's episodes, by the shares of the types."""
    keeps_start: bool = False
    """Whether the policy is the start, since training did not improve on it."""
    followers: Followers = ()
    """The follower of each type, if there are answers."""

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True)
class ReptileActorCritic:
    """Learns a meta-policy for the types of a task whose game is `TypesInTurn`; its weights are the prior Q."""

    settings: UpdateSettings = USUAL
    updates: int = 10
    """l: gradient steps of an adaptation; the actor moves in each `settings.delay`-th."""
    rate: float = 1.0
    """The share of the mean adaptation by which the meta-policy moves."""
    drawn: int | None = None
    """K, the types that are drawn from the prior in each iteration; None plays all of them, with their weights."""
    batch: int = 256
    memory: int = 20_000
    """The capacity of each type's replay memory, in steps."""
    warmup: int = 1
    """Episodes of each type before anything is learned: with uniform actions, or with those of `start`."""
    noise: float = 0.1
    """The standard deviation of the noise on actions."""
    start: PolicyNetwork | None = None
    """A policy that the actor imitates at first; the critics learn its value before the actor moves."""
    imitation: int = 1000
    """Gradient steps of the imitation."""
    critic_updates: int = 500
    """Gradient steps of the critics before the actor of a start moves."""
    encoder: Encoder | None = None
    """Encodes the observation for the networks; None passes the observation itself."""
    trials: int = 5
    """Fresh episodes against each type in which the trained policy must do better than the start."""
    answers: FollowerAnswers | None = None
    """How followers answer the adapted policy; None plays against the opponents of the tasks."""
    calls: PinnedCalls = pinned_in_turn
    """How lessons are given: in this process, or in several. What is learned does not depend on it."""

    def __post_init__(self) -> None:
        names = ("updates", "batch", "memory", "warmup", "imitation", "trials")
        check_at_least_one("reptile", **{name: getattr(self, name) for name in names})
        check_positive("reptile", rate=self.rate)
        if self.drawn is not None:
            check_at_least_one("reptile", drawn=self.drawn)

    def initial(self, task: LearningTask, *, seed: int) -> ReptileTraining:
        seat = self._seat(task)
        memories = [MarkedMemory(empty_memory([seat.remembered], self.memory)) for _ in _types(task).tasks]
        followers = () if self.answers is None else self.answers.initial(_types(task).tasks, seed=seed)
        networks = seat.architecture.initial(stream(seed, "networks"))
        return ReptileTraining(networks, tuple(memories), 0, 0, (), followers=followers)

    def improve(self, state: ReptileTraining, task: LearningTask, *, steps: int, seed: int) -> ReptileTraining:
        until = state.steps + steps
        while state.steps < until:
            state = self._iterate(state, task, seed=seed)
            if state.iterations == self.warmup and self.start is not None:
                state = state._replace(networks=self._imitated(state, self.start, task, seed=seed))
        return state

    def choose(self, state: ReptileTraining, task: LearningTask, *, seed: int) -> ReptileTraining:
        """Return the state whose policy is the start where the trained one is not better in common fresh episodes.

        Both play against the followers as they have answered last.
        """
        answered = replace(task, game=replace(_types(task), tasks=self._tasks(state, task)))
        keeps = self._seat(task).keeps_start(state.networks, answered, trials=self.trials, seed=seed)
        return state._replace(keeps_start=keeps)

    def policies(self, state: ReptileTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        start = self.start if state.keeps_start else None
        return {task.seat: start or self._seat(task).actor(state.networks)}

    def codec(self, task: LearningTask) -> Codec[ReptileTraining]:
        held = HeldFollowers(self.answers, _types(task).tasks)
        return Codec(partial(_pack, held=held), partial(_unpack, space=self._seat(task).remembered, held=held))

    def followers(self, state: ReptileTraining, task: LearningTask) -> dict[int, PolicyNetwork]:
        """Return the policies of the followers that answer, by the places of their types."""
        answers, tasks = self.answers, _types(task).tasks
        if answers is None:
            return {}
        return {place: answers.policy(place, tasks[place], state.followers[place]) for place in answers.learners}

    def _tasks(self, state: ReptileTraining, task: LearningTask) -> Sequence[LearningTask]:
        """Return the task against each type, in which followers play what they have learned."""
        tasks = _types(task).tasks
        return tasks if self.answers is None else self.answers.tasks(tasks, state.followers)

    def _seat(self, task: LearningTask) -> ActorCriticSeat:
        return ActorCriticSeat(
            task.space, self.settings, self.batch, self.noise, self.start, self.imitation, self.encoder
        )

    def _iterate(self, state: ReptileTraining, task: LearningTask, *, seed: int) -> ReptileTraining:
        """Play each type of the iteration, and move the meta-policy to where they lead."""
        types, seat, learns = _types(task), self._seat(task), state.iterations >= self.warmup
        drawn = draw_types(types.weights, self.drawn if learns else None, iteration=state.iterations, seed=seed)
        shares = {place: share for place, share in sorted(drawn.items()) if share > 0}
        explorer = seat.actor(state.networks) if learns else self.start
        updates, answering = (self.updates, self.answers) if learns else (0, None)
        lessons = TypeLessons(
            seat, self._tasks(state, task), state.networks, explorer, updates, seed, answers=answering
        )
        followers = dict(enumerate(state.followers))
        calls = [
            LessonCall(place, state.iterations, state.memories[place].mark, follower=followers.get(place))
            for place in shares
        ]
        answers = give_lessons(lessons, calls, state.memories, pinned=self.calls)
        memories = list(state.memories)
        for place, answer in zip(shares, answers, strict=True):
            memories[place] = memories[place].extend(answer.rows)
            if place in followers:
                followers[place] = answer.follower
        gained = sum(share * answer.gain for share, answer in zip(shares.values(), answers, strict=True))
        return ReptileTraining(
            _moved(state.networks, list(shares.values()), [answer.weights for answer in answers], rate=self.rate),
            tuple(memories),
            iterations=state.iterations + 1,
            steps=state.steps + sum(_count_steps(call, answer) for call, answer in zip(calls, answers, strict=True)),
            returns=(*state.returns, gained),
            followers=tuple(followers.values()),
        )

    def _imitated(self, state: ReptileTraining, start: PolicyNetwork, task: LearningTask, *, seed: int) -> Networks:
        """Return networks whose actor imitates the starting policy, with critics of its value against all types."""
        seat, memories = self._seat(task), [held.memory for held in state.memories]
        networks = seat.imitating(state.networks, start, torch.cat([memory.observations for memory in memories]))
        weights = torch.tensor(_types(task).weights, dtype=torch.float64)
        for update in range(self.critic_updates):
            rng = stream(seed, "value", update)
            place = rng.choice(len(memories), p=(weights / weights.sum()).numpy())
            networks = seat.updated(networks, memories[place], rng=rng, moves_actors=False)
        return without_moments(networks)


def _types(task: LearningTask) -> TypesInTurn:
    check_kind(
        "reptile: game", task.game, kind=TypesInTurn, remedy="give a LearningTask of TypesInTurn(tasks, weights)"
    )
    assert isinstance(task.game, TypesInTurn)
    return task.game


def _count_steps(call: LessonCall, answer: LessonAnswer) -> int:
    """Return the steps of a lesson: those of the episode, and of the follower's answer."""
    return len(answer.rows) + (0 if answer.follower is None else answer.follower.steps - call.follower.steps)


def _moved(
    networks: Networks, shares: Sequence[float], adapted: Sequence[Sequence[Tensor]], *, rate: float
) -> Networks:
    """Return the networks after a step of Reptile towards the mean of adapted weights, in the order of the types."""
    reached = []
    for begin, *ends in zip(weights_of(networks), *adapted, strict=True):
        steps = [share * (end - begin) for share, end in zip(shares, ends, strict=True)]
        reached.append(begin + rate * torch.stack(steps).sum(dim=0))
    actors, critics, target_actors, target_critics = reached
    moved = networks._replace(
        actors=actors, critics=critics, target_actors=target_actors, target_critics=target_critics
    )
    return without_moments(moved)


class HeldFollowers(NamedTuple):
    """What is needed to save followers."""

    answers: FollowerAnswers | None
    tasks: Sequence[LearningTask]


def _pack(state: ReptileTraining, held: HeldFollowers) -> Snapshot:
    answers, tasks = held
    followers = {} if answers is None else answers.pack(tasks, state.followers)
    memories = {f"memory {place}": held.memory.pack() for place, held in enumerate(state.memories)}
    numbers = {name: getattr(state, name) for name in ("iterations", "steps", "returns", "keeps_start")}
    marks = [held.mark for held in state.memories]
    return merge({"networks": pack_networks(state.networks), **memories, **followers}, marks=marks, **numbers)


def _unpack(packed: Snapshot, space: Space, held: HeldFollowers) -> ReptileTraining:
    answers, tasks = held
    numbers = packed.numbers
    memories = tuple(
        MarkedMemory(unpack_memory(packed.part(f"memory {place}"), [space]), mark)
        for place, mark in enumerate(numbers["marks"])
    )
    return ReptileTraining(
        unpack_networks(packed.part("networks")),
        memories,
        iterations=numbers["iterations"],
        steps=numbers["steps"],
        returns=tuple(numbers["returns"]),
        keeps_start=numbers["keeps_start"],
        followers=() if answers is None else answers.unpack(tasks, packed),
    )
