"""The contract of all learners: a function from a state to a better one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from sparring.arrays import briefly
from sparring.contracts import Policy
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Codec, Snapshot

State = TypeVar("State")
Argument = TypeVar("Argument")
Value = TypeVar("Value")

Calls = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""Calls a function with each argument, in this process or in others, and returns the answers in order: as `map` does.

A function and its arguments can be pickled.
"""


def call_in_turn(function: Callable[[Argument], Value], arguments: Sequence[Argument]) -> list[Value]:
    """Make calls in this process, one after the other: what every other way of making them must equal."""
    return [function(argument) for argument in arguments]


class Training(NamedTuple):
    """The progress of training after a chunk."""

    packed: Snapshot
    """The snapshot to resume from."""
    steps: int
    """Environment steps, summed over all environments."""
    returns: tuple[float, ...]
    """The return of each episode that ended since the last snapshot."""
    policy: PolicyNetwork

    def __repr__(self) -> str:
        return briefly(self)


class Learner(Protocol[State]):
    """An algorithm that learns to play a seat of a game.

    A state holds all that the next step depends on, and says in `steps` how many were simulated. From equal states
    and seeds the training is bit-identical, regardless of where it is interrupted.
    """

    def initial(self, task: LearningTask, *, seed: int) -> State:
        """Return the state before anything is learned."""

    def improve(self, state: State, task: LearningTask, *, steps: int, seed: int) -> State:
        """Return the state after at least `steps` more steps of the game."""

    def policies(self, state: State, task: LearningTask) -> Mapping[str, Policy]:
        """Return the policy of each seat that learns."""

    def codec(self, task: LearningTask) -> Codec[State]:
        """Return how a state is written to disk, and read again."""
