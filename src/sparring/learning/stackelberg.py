"""Meta-Stackelberg learning (algorithms 1 and 3 of the meta-Stackelberg game) over types of followers.

In each iteration the leader adapts to each type that is played, the type's follower answers the adapted leader if it
learns, and the leader's weights move by what that was worth. A type with a fixed follower is the branch "meta-RL", one
with a learning follower "meta-SG"; a domain may have both. The leader adapts in both branches before its return counts:
algorithm 1 as printed omits that in the first, algorithm 2 does not. Without steps of adaptation the result is the
Bayesian Stackelberg equilibrium.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sparring.arrays import Vector, briefly
from sparring.errors import ConfigError
from sparring.learning.meta.adaptation import Ascent, adapt_leader, answer_leader
from sparring.learning.meta.directions import MetaDirection, debiased, first_order, reptile
from sparring.learning.meta.typed_tasks import TypedTask, draw_types
from sparring.random import stream
from sparring.snapshot import Codec, Snapshot
from sparring.validation import check_at_least_one, check_positive

Domain = Sequence[TypedTask]
"""The types Ξ with their prior Q."""
ONE_STEP, TEN_STEPS = Ascent(), Ascent(steps=10)


class StackelbergState(NamedTuple):
    """The state of a training: all that the next iteration depends on."""

    leader: Vector
    """θ, the meta-policy."""
    followers: tuple[Vector, ...]
    """φ of each type; of length 0 where a type has none."""
    values: tuple[float, ...]
    """The leader's return after its last adaptation to each type: the baseline of the next one. 0 before the first."""
    steps: int
    """Iterations so far."""
    returns: tuple[float, ...]
    """The mean of the played types' returns after adaptation, in each iteration."""

    def __repr__(self) -> str:
        return briefly(self)


class TypeLesson(NamedTuple):
    """What an iteration against one type leads to."""

    direction: Vector
    follower: Vector
    value: float


@dataclass(frozen=True)
class MetaStackelberg:
    """Learns a leader's policy for all types of followers, and each type's answer to the adapted leader."""

    direction: MetaDirection = debiased
    """How the leader moves: `debiased`, `first_order` or `reptile`."""
    rate: float = 0.1
    """κ_D, the share of the mean direction by which the leader moves; 1 is usual for `reptile`."""
    adaptation: Ascent = ONE_STEP
    """η and the number of steps of the leader; no steps are the Bayesian Stackelberg equilibrium."""
    answer: Ascent = TEN_STEPS
    """κ_A and N_A: how a follower answers."""
    drawn: int | None = None
    """K, the types that are drawn from the prior in each iteration; None plays all of them, with their weights."""

    def __post_init__(self) -> None:
        check_positive("stackelberg", rate=self.rate)
        if self.drawn is not None:
            check_at_least_one("stackelberg", drawn=self.drawn)

    def initial(self, domain: Domain, leader: Vector, followers: Sequence[Vector] | None = None) -> StackelbergState:
        """Return the state before anything is learned; followers may be trained before, and None are none."""
        answers = [leader[:0]] * len(domain) if followers is None else list(followers)
        if not domain or len(answers) != len(domain):
            raise ConfigError(f"stackelberg: {len(answers)} followers for {len(domain)} types; give one for each type")
        return StackelbergState(leader, tuple(answers), (0.0,) * len(domain), 0, ())

    def improve(self, state: StackelbergState, domain: Domain, *, steps: int, seed: int) -> StackelbergState:
        """Return the state after more iterations."""
        for _ in range(steps):
            state = self._iterate(state, domain, seed=seed)
        return state

    def states(self, start: StackelbergState, domain: Domain, *, steps: int, seed: int) -> Iterator[StackelbergState]:
        """Yield the state after each iteration until there are `steps` in total, whatever state is the first."""
        while start.steps < steps:
            start = self._iterate(start, domain, seed=seed)
            yield start

    @property
    def codec(self) -> Codec[StackelbergState]:
        """How a state is written to disk, and read again."""
        return Codec(_pack, _unpack)

    def _iterate(self, state: StackelbergState, domain: Domain, *, seed: int) -> StackelbergState:
        shares = draw_types([task.weight for task in domain], self.drawn, iteration=state.steps, seed=seed)
        followers, values, leader, gained = list(state.followers), list(state.values), state.leader, 0.0
        # The order of the types, not that in which they were drawn, is the order of the sum.
        for place, share in sorted(shares.items()):
            lesson = self._lesson(state, domain[place], place=place, seed=seed)
            followers[place], values[place] = lesson.follower, lesson.value
            leader, gained = leader + self.rate * share * lesson.direction, gained + share * lesson.value
        return StackelbergState(
            leader, tuple(followers), tuple(values), steps=state.steps + 1, returns=(*state.returns, gained)
        )

    def _lesson(self, state: StackelbergState, task: TypedTask, *, place: int, seed: int) -> TypeLesson:
        """Adapt, be answered, and see what it was worth; it depends on θ and this type's own state alone."""
        rng, phi = stream(seed, "type", place, state.steps), state.followers[place]
        adapted = adapt_leader(task, state.leader, phi, self.adaptation, rng)
        phi = answer_leader(task, adapted.end, phi, self.answer, rng)
        reached = task.leader(adapted.end, phi, rng)
        return TypeLesson(self.direction(adapted, reached, state.values[place]), phi, float(reached.value))


def bayesian_stackelberg(rate: float = 0.1, *, answer: Ascent = TEN_STEPS) -> MetaStackelberg:
    """Return the learner of the Bayesian Stackelberg equilibrium: the leader does not adapt."""
    return MetaStackelberg(first_order, rate, Ascent(steps=0), answer)


def reptile_learner(adaptation: Ascent, *, answer: Ascent = TEN_STEPS) -> MetaStackelberg:
    """Return the learner of algorithm 2, which the published experiments use: its meta step is 1."""
    return MetaStackelberg(reptile, 1.0, adaptation, answer)


def _pack(state: StackelbergState) -> Snapshot:
    followers = {f"follower {place}": phi for place, phi in enumerate(state.followers)}
    numbers: dict[str, Any] = {"values": state.values, "steps": state.steps, "returns": state.returns}
    return Snapshot({"leader": state.leader, **followers}, numbers)


def _unpack(packed: Snapshot) -> StackelbergState:
    tensors, numbers = packed
    followers = tuple(tensors[f"follower {place}"] for place in range(len(numbers["values"])))
    values, returns = tuple(numbers["values"]), tuple(numbers["returns"])
    return StackelbergState(tensors["leader"], followers, values, numbers["steps"], returns)
