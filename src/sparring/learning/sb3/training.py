"""Training of a policy as a sequence of snapshots."""

from collections.abc import Callable, Iterator

from sparring.errors import ConfigError
from sparring.learning.sb3.adapter import SB3Learner, Settings, Training
from sparring.learning.training_env import LearningTask, make_vec_env
from sparring.snapshot import Snapshot
from sparring.validation import check_counts, check_kind

CHUNK = 100
"""Steps after which it is asked whether a snapshot is due."""


def train(
    arena: LearningTask,
    settings: Settings,
    *,
    steps: int,
    seed: int,
    every: int | Callable[[int], bool] = 1000,
    start: Snapshot | None = None,
) -> Iterator[Training]:
    """Learn to play the arena's seat, and yield where training stands after each chunk of about `every` steps.

    Where `every` is a function, it is asked after every 100 steps or so, with the steps that have been made, whether a
    snapshot is due: one holds the whole replay buffer. The last one always is.

    A chunk ends with the first gradient step (TD3) or rollout (PPO) at which its steps have been made. From the
    snapshot of any chunk as `start`, the same follows to the bit as without a break; a training that is over is yielded
    once more.
    """
    check_kind("train: arena", arena, kind=LearningTask, remedy='give a LearningTask: LearningTask(game, "attacker")')
    check_counts("train", steps=steps, seed=seed, **({} if callable(every) else {"every": every}))
    for name, value in {"steps": steps, "every": every}.items():
        if isinstance(value, int) and value < 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1")
    settings.check(arena.space, environments=arena.environments)
    return _trained(arena, settings, steps=steps, seed=seed, every=every, start=start)


def _trained(
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
