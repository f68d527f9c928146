"""Games and the policies that play them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from sparring.arrays import FloatArray
from sparring.random import Generator
from sparring.snapshot import Codec


class Policy(Protocol):
    """A learned player's decision function; its actions are numbers in [-1, 1], whatever their meaning."""

    def act(self, observation: FloatArray) -> FloatArray:
        """Return the action for one observation; neither array is modified afterwards."""


class Team(NamedTuple):
    """The members that share a seat; in each step some of them are present, and these have the ranks 0, 1, ….

    The seat's action is one row of numbers per rank, the rows of absent ranks being ignored. The last number of its
    observation is the share of `whole` that is present.
    """

    ranks: int
    """The largest number of members that can be present."""
    whole: int
    """What the observed share refers to, such as the number of sampled clients."""


class Space(NamedTuple):
    """The dimensions of a seat's observation and action."""

    observation: int
    action: int
    is_scaled: bool = True
    """Whether observations lie in [-1, 1]; otherwise they are only finite."""
    team: Team | None = None
    """The team whose members decide; None means a single player."""


State = TypeVar("State")
Ended = TypeVar("Ended", contravariant=True)


class Game(Protocol[State]):
    """A Markov game; its state is small, frozen, and holds everything that the next state depends on."""

    @property
    def seats(self) -> Mapping[str, Space]:
        """The learning players by name, each with its spaces."""

    def initial(self, rng: Generator) -> State:
        """Draw the initial state of an episode."""

    def observe(self, state: State, seat: str) -> FloatArray:
        """Return a seat's observation of a state."""

    def transition(self, state: State, actions: Mapping[str, FloatArray], *, rng: Generator) -> State:
        """Draw the next state given the actions of all seats, each number clipped to [-1, 1]."""

    def reward(self, before: State, after: State, *, seat: str) -> float:
        """Return a seat's reward for a transition."""

    def is_over(self, state: State) -> bool:
        """Say whether the episode has ended."""

    @property
    def codec(self) -> "Codec[State]":
        """How a state is saved to disk and restored."""


@runtime_checkable
class Truncating(Protocol[Ended]):
    """What a game with a horizon offers in addition."""

    def is_truncated(self, state: Ended) -> bool:
        """Say whether the episode ended in `state` only because of the horizon."""


class JointTransition(Protocol[State]):
    """Draws the next state of each state, in order, as `transition` does; rounding may depend on the other states."""

    def __call__(
        self, states: Sequence[State], actions: Sequence[Mapping[str, FloatArray]], *, rngs: Sequence[Generator]
    ) -> list[State]: ...


@runtime_checkable
class Stacking(Protocol[State]):
    """What a game offers in addition whose transitions cost less together than one by one."""

    @property
    def transitions(self) -> JointTransition[State]:
        """How the transitions of several states are made at once."""


@runtime_checkable
class Bounding(Protocol[State]):
    """What a game offers in addition whose episodes can end once their return is sure to be low."""

    def above(self, floor: float) -> Game[State]:
        """Return the same game, whose episodes may end as soon as their return is sure to be below `floor`."""
