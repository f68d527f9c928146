"""Training of a policy as a sequence of snapshots."""

from collections.abc import Callable, Iterator

from sparring.errors import ConfigError
from sparring.learning.learner import Training
from sparring.learning.sb3.adapter import SB3Learner, Settings
from sparring.learning.training_env import LearningTask, make_vec_env
from sparring.snapshot import Snapshot
from sparring.validation import check_counts, check_kind

CHUNK = 100
"""Steps between two queries of whether a snapshot is due."""


def train(
    arena: LearningTask,
    settings: Settings,
    *,
    steps: int,
    seed: int,
    every: int | Callable[[int], bool] = 1000,
    start: Snapshot | None = None,
) -> Iterator[Training]:
    """Train a policy for the task's seat, and yield the progress after each chunk of about `every` steps.

    If `every` is a function, it is called about every 100 steps with the number of steps so far, and returns whether a
    snapshot is due, since a snapshot holds the whole replay buffer. The last snapshot is always yielded.

    A chunk ends with the first gradient step (TD3) or rollout (PPO) after its steps. Resuming from the snapshot of any
    chunk as `start` gives the same results, to the last bit, as an uninterrupted training; a finished training is
    yielded once more.
    """
    check_kind("train: arena", arena, kind=LearningTask, remedy='give a LearningTask: LearningTask(game, "attacker")')
    check_counts("train", steps=steps, seed=seed, **({} if callable(every) else {"every": every}))
    for name, value in {"steps": steps, "every": every}.items():
        if isinstance(value, int) and value < 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1")
    settings.check(arena.space, environments=arena.environments)
    return _train(arena, settings, steps=steps, seed=seed, every=every, start=start)


def _train(
    arena: LearningTask,
    settings: Settings,
    *,
    steps: int,
    seed: int,
    every: int | Callable[[int], bool],
    start: Snapshot | None,
) -> Iterator[Training]:
    chunk, is_due = (CHUNK, every) if callable(every) else (every, _always)
    with make_vec_env(arena, seed=seed) as environments:
        learner = SB3Learner(settings, environments, seed=seed)
        if start is not None:
            learner.restore(start)
            if learner.steps >= steps:
                yield learner.training()
        while learner.steps < steps:
            learner.learn(min(steps, learner.steps + chunk))
            if learner.steps >= steps or is_due(learner.steps):
                yield learner.training()


def _always(steps: int) -> bool:
    return True
