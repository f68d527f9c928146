"""The contract of all learners, a function from a state to a better one, and the loop that trains any of them."""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Protocol, TypeVar

from sparring.errors import ConfigError
from sparring.learning.training_env import LearningTask
from sparring.policies.network import PolicyNetwork
from sparring.snapshot import Codec
from sparring.validation import check_counts, check_kind


class LearningState(Protocol):
    """The state of a training: all that the next step depends on."""

    @property
    def steps(self) -> int:
        """Steps of the game so far, summed over all environments."""

    @property
    def returns(self) -> tuple[float, ...]:
        """The return of each episode that ended, or the mean return of each generation."""


State = TypeVar("State", bound=LearningState)

CHUNK = 100
"""The steps of the first chunk."""
GROWTH = 2
"""How many times as many steps as a chunk the next one has at most."""
SECONDS = 3.0
"""The time that a chunk takes, approximately."""


class Learner(Protocol[State]):
    """An algorithm that learns to play a seat of a game.

    From equal states and seeds the training is bit-identical, regardless of where it is interrupted.
    """

    def initial(self, task: LearningTask, *, seed: int) -> State:
        """Return the state before anything is learned."""

    def improve(self, state: State, task: LearningTask, *, steps: int, seed: int) -> State:
        """Return the state after at least `steps` more steps of the game."""

    def choose(self, state: State, task: LearningTask, *, seed: int) -> State:
        """Return the state at the end of a training, with the best known policies, chosen in fresh episodes.

        A training resumes from the state before the choice.
        """

    def policies(self, state: State, task: LearningTask) -> Mapping[str, PolicyNetwork]:
        """Return the policy of each seat that learns."""

    def codec(self, task: LearningTask) -> Codec[State]:
        """Return how a state is written to disk, and read again."""


def train(
    learner: Learner[State],
    task: LearningTask,
    *,
    steps: int,
    seed: int,
    every: int | None = None,
    start: State | None = None,
) -> Iterator[State]:
    """Train until at least `steps` steps are made in total, and yield the state after each chunk.

    A chunk has at least `every` steps; None means chunks of about three seconds. The result depends neither on the
    chunks nor on interruptions: from any state as `start` the rest is bit-identical.
    """
    check_kind("train: task", task, kind=LearningTask, remedy='give a LearningTask: LearningTask(game, "attacker")')
    counts = {"steps": steps, **({} if every is None else {"every": every})}
    check_counts("train", seed=seed, **counts)
    for name, value in counts.items():
        if value < 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1")
    return _train(learner, task, steps=steps, seed=seed, every=every, start=start)


def _train(
    learner: Learner[State], task: LearningTask, *, steps: int, seed: int, every: int | None, start: State | None
) -> Iterator[State]:
    state, chunk = learner.initial(task, seed=seed) if start is None else start, every or CHUNK
    while state.steps < steps:
        begin, before = perf_counter(), state.steps
        state = learner.improve(state, task, steps=min(chunk, steps - before), seed=seed)
        if every is None:
            rate = (state.steps - before) / (perf_counter() - begin)
            chunk = max(1, min(GROWTH * chunk, int(rate * SECONDS)))
        yield state
