"""One game of several: an episode is an episode of each, one after the other, for the same seat.

So a search that compares policies in one task compares them on a whole domain, and no type is drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, NamedTuple

from sparring.arrays import FloatArray, briefly
from sparring.contracts import JointTransition, Space, Stacking
from sparring.errors import ConfigError
from sparring.learning.training_env import LearningTask
from sparring.random import Generator
from sparring.snapshot import Codec, Snapshot

Over = Literal["mean", "worst"]
"""What counts: the mean return over the games by their weights, or the lowest return of a game of positive weight."""


class TurnState(NamedTuple):
    """Where an episode stands: the game that is played, its state, and the returns so far."""

    place: int
    inner: Any
    gains: tuple[float, ...]

    def __repr__(self) -> str:
        return briefly(self)


@dataclass(frozen=True, eq=False)
class TypesInTurn:
    """The games of several tasks in turn; the reward is that of the whole episode, at its end."""

    tasks: Sequence[LearningTask]
    weights: Sequence[float]
    over: Over = "mean"
    floor: float = -inf
    """With `over="worst"`, an episode ends after the first game whose return is below this."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if len(self.tasks) != len(self.weights) or not 0 < sum(self.weights) < inf or min(self.weights) < 0:
            raise ConfigError(
                f"games in turn: {len(self.tasks)} games have weights {list(self.weights)}; give each a weight of at "
                "least 0, and one a positive weight"
            )
        if self.over not in ("mean", "worst"):
            raise ConfigError(f"games in turn: over is {self.over!r}; it must be mean or worst")
        spaces = {(task.seat, task.space) for task in self.tasks}
        if len(spaces) > 1:
            raise ConfigError(f"games in turn: {len(spaces)} different seats; all games must have the same seat")

    @property
    def seats(self) -> Mapping[str, Space]:
        return {self.tasks[0].seat: self.tasks[0].space}

    def initial(self, rng: Generator) -> TurnState:
        return TurnState(0, self.tasks[0].game.initial(rng), (0.0,) * len(self.tasks))

    def observe(self, state: TurnState, seat: str) -> FloatArray:
        seen: FloatArray = self.tasks[state.place].game.observe(state.inner, seat)
        return seen

    def transition(self, state: TurnState, actions: Mapping[str, FloatArray], *, rng: Generator) -> TurnState:
        return self._transitions([state], [actions], rngs=[rng])[0]

    def reward(self, before: TurnState, after: TurnState, *, seat: str) -> float:
        if not self.is_over(after):
            return 0.0
        if self.over == "worst":
            return min(self._counted(after))
        return sum(weight * gain for gain, weight in zip(after.gains, self.weights, strict=True)) / sum(self.weights)

    def is_over(self, state: TurnState) -> bool:
        return self._is_complete(state) or (
            self.over == "worst" and min(self._counted(state), default=inf) < self.floor
        )

    def above(self, floor: float) -> "TypesInTurn":
        """Return the same game, in which an episode ends as soon as its return is sure to be below `floor`.

        The return of such an episode is an upper bound of the one that all games would have.
        """
        return replace(self, floor=floor)

    def _is_complete(self, state: TurnState) -> bool:
        return state.place == len(self.tasks) - 1 and self.tasks[-1].game.is_over(state.inner)

    def _counted(self, state: TurnState) -> list[float]:
        """Return what the games that are over have returned, those without weight left out."""
        played = len(self.tasks) if self._is_complete(state) else state.place
        return [gain for gain, weight in zip(state.gains[:played], self.weights, strict=False) if weight > 0]

    @property
    def transitions(self) -> JointTransition[TurnState]:
        return self._transitions

    @property
    def codec(self) -> Codec[TurnState]:
        return Codec(self._pack, self._unpack)

    def _transitions(
        self, states: Sequence[TurnState], actions: Sequence[Mapping[str, FloatArray]], *, rngs: Sequence[Generator]
    ) -> list[TurnState]:
        """Make the transitions of all states in the same game together."""
        after = list(states)
        for place in {state.place for state in states}:
            chosen = [index for index, state in enumerate(states) if state.place == place]
            moves = [(states[index].inner, actions[index], rngs[index]) for index in chosen]
            for index, inner in zip(chosen, _play(self.tasks[place], moves), strict=True):
                after[index] = self._advance(states[index], inner, rngs[index])
        return after

    def _advance(self, state: TurnState, inner: Any, rng: Generator) -> TurnState:
        """Count what a transition gained, and begin the next game after the last state of one."""
        place, task = state.place, self.tasks[state.place]
        gain = task.game.reward(state.inner, inner, seat=task.seat)
        gains = tuple(each + gain * (index == place) for index, each in enumerate(state.gains))
        if task.game.is_over(inner) and place < len(self.tasks) - 1:
            return TurnState(place + 1, self.tasks[place + 1].game.initial(rng), gains)
        return TurnState(place, inner, gains)

    def _pack(self, state: TurnState) -> Snapshot:
        tensors, numbers = self.tasks[state.place].game.codec.pack(state.inner)
        return Snapshot(tensors, {"place": state.place, "inner": numbers, "gains": state.gains})

    def _unpack(self, packed: Snapshot) -> TurnState:
        place = packed.numbers["place"]
        inner = self.tasks[place].game.codec.unpack(Snapshot(packed.tensors, packed.numbers["inner"]))
        return TurnState(place, inner, tuple(packed.numbers["gains"]))


def _play(task: LearningTask, moves: Sequence[tuple[Any, Mapping[str, FloatArray], Generator]]) -> list[Any]:
    """Return the next states of one game, in which the other seats follow their policies."""
    inners, given, rngs = (list(part) for part in zip(*moves, strict=True))
    others = [
        {name: policy.act(task.game.observe(inner, name)) for name, policy in task.opponents.items()}
        for inner in inners
    ]
    actions = [other | own for other, own in zip(others, given, strict=True)]
    if isinstance(task.game, Stacking):
        return task.game.transitions(inners, actions, rngs=rngs)
    return [
        task.game.transition(inner, action, rng=rng) for inner, action, rng in zip(inners, actions, rngs, strict=True)
    ]
