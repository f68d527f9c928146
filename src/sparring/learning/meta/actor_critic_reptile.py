"""Reptile with TD3 inside (algorithm 2 of the meta-Stackelberg game, MSG): one meta-policy for several types.

In each iteration, for each type that is played: take the meta-policy, play an episode into the memory of this type,
take a few gradient steps of TD3 from there. Then the meta-policy moves towards the mean of what the types lead to. That
is done with all tensors: the actor, the critics, and their targets. The optimizer's moments are fresh in each
adaptation, or those of one type would move the policy against another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from sparring.learning.meta.type_lessons import LessonCall, MarkedMemory, TypeLessons, give_lessons, weights_of
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
        return ReptileTraining(seat.architecture.initial(stream(seed, "networks")), tuple(memories), 0, 0, ())

    def improve(self, state: ReptileTraining, task: LearningTask, *, steps: int, seed: int) -> ReptileTraining:
        until = state.steps + steps
        while state.steps < until:
            state = self._iterate(state, task, seed=seed)
            if state.iterations == self.warmup and self.start is not None:
                state = state._replace(networks=self._imitated(state, self.start, task, seed=seed))
        return state

    def choose(self, state: ReptileTraining, task: LearningTask, *, seed: int) -> ReptileTraining:
        """Return the state whose policy is the start where the trained one is not better in common fresh episodes."""
        keeps = self._seat(task).keeps_start(state.networks, task, trials=self.trials, seed=seed)
        return state._replace(keeps_start=keeps)

    def policies(self, state: ReptileTraining, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        start = self.start if state.keeps_start else None
        return {task.seat: start or self._seat(task).actor(state.networks)}

    def codec(self, task: LearningTask) -> Codec[ReptileTraining]:
        return Codec(_pack, partial(_unpack, space=self._seat(task).remembered))

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
        updates = self.updates if learns else 0
        lessons = TypeLessons(seat, types.tasks, state.networks, explorer, updates, seed)
        calls = [LessonCall(place, state.iterations, state.memories[place].mark) for place in shares]
        answers = give_lessons(lessons, calls, state.memories, pinned=self.calls)
        memories = list(state.memories)
        for place, answer in zip(shares, answers, strict=True):
            memories[place] = memories[place].extend(answer.rows)
        gained = sum(share * answer.gain for share, answer in zip(shares.values(), answers, strict=True))
        return ReptileTraining(
            _moved(state.networks, list(shares.values()), [answer.weights for answer in answers], rate=self.rate),
            tuple(memories),
            iterations=state.iterations + 1,
            steps=state.steps + sum(len(answer.rows) for answer in answers),
            returns=(*state.returns, gained),
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


def _pack(state: ReptileTraining) -> Snapshot:
    memories = {f"memory {place}": held.memory.pack() for place, held in enumerate(state.memories)}
    numbers = {name: getattr(state, name) for name in ("iterations", "steps", "returns", "keeps_start")}
    marks = [held.mark for held in state.memories]
    return merge({"networks": pack_networks(state.networks), **memories}, marks=marks, **numbers)


def _unpack(packed: Snapshot, space: Space) -> ReptileTraining:
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
    )
