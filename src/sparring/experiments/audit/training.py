"""Train an attacker against a rule, in a simulation of the federation, and go on after any interrupt."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from sparring.attacks import LocalSearchActions, TrainedAttack
from sparring.attacks.learned.acting import PAPER
from sparring.attacks.learned.trained_attack import PolicyVersion
from sparring.errors import Interrupted
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json, translate_os_errors, write_json
from sparring.experiments.jobs.job import Failed, Stopped, outcome_of, stop_file
from sparring.experiments.jobs.observer import never
from sparring.experiments.jobs.snapshots import (
    drop_snapshots,
    latest_part,
    latest_place,
    save_snapshot,
)
from sparring.experiments.jobs.train_policy import save_policy
from sparring.experiments.runs.checkpoint import SELDOM, SavePace
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.federation import Scenario
from sparring.games.federated import ATTACKER, attack_game
from sparring.learning.distribution.observed_training import held_examples
from sparring.learning.sb3 import TD3Settings, train
from sparring.learning.sb3.td3 import largest_buffer
from sparring.learning.training_env import LearningTask
from sparring.snapshot import Snapshot
from sparring.training.backends.threaded import torch_threads

POLICY, LESSONS = "policy.safetensors", "lessons.json"
ACTINGS = (LocalSearchActions(), PAPER)
"""What actions stand for, policy by policy in turn: whichever suits the rule, one of them finds it."""
SETTINGS = TD3Settings()
CEILING = 10.0
"""The loss above which a model that is worse still gains the attacker nothing."""
TIMED = 25
"""Steps that are made, three times, to find out how long one takes."""


class TrainingTask(NamedTuple):
    """What is trained: what the policy's actions stand for, over how many rounds, steps in all, and with which seed."""

    acting: LocalSearchActions
    rounds: int
    steps: int
    seed: int


class TrainingBudget(NamedTuple):
    """A policy to train, and where."""

    folder: Path
    config: Config
    """A run whose attackers have the clients that the policy is to play."""
    lesson: TrainingTask
    plugins: tuple[str, ...]
    data: Path
    """Where data sets are that were loaded already."""


class TrainedPolicy(NamedTuple):
    """A policy that is trained: its file, and the return of each simulated episode on the way."""

    policy: Path
    returns: tuple[float, ...]


def is_trained(course: TrainingBudget) -> bool:
    """Say whether a policy is trained already."""
    return (course.folder / POLICY).exists()


def train_for(course: TrainingBudget) -> Path | Stopped | Failed:
    """Train a policy, from where it is, and return its file; its caller is only told of what goes wrong."""
    return outcome_of(partial(_taught, course))


def train_attack(
    scenario: Scenario,
    lesson: TrainingTask,
    *,
    folder: Path,
    wants_stop: Callable[[], bool] = never,
    pace: SavePace | None = None,
) -> Path:
    """Learn to play the scenario's malicious clients against its rule, and return the file of what was learned.

    An audit is the defender's: the simulation is the federation itself, with other draws, as a perfect model of the
    world would have it. The attackers gain by what the loss on their own examples rises by.
    """
    arena, steps, (start, returns) = _arena(scenario, lesson), lesson.steps, _stood(folder)
    pace, is_stopped = SavePace() if pace is None else pace, False
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)

    def is_due(_: int) -> bool:
        nonlocal is_stopped
        is_stopped = wants_stop()
        return pace.is_due() or is_stopped

    for training in train(arena, _settings(arena, steps), steps=steps, seed=lesson.seed, every=is_due, start=start):
        returns += training.returns
        if training.steps >= steps:
            write_json(folder / LESSONS, {"steps": training.steps, "returns": returns})
            save_policy(folder / POLICY, TrainedAttack((PolicyVersion(0, training.policy),), lesson.acting))
            drop_snapshots(folder)
            break
        save_snapshot(folder, _packed(training.packed, returns), place=training.steps)
        pace.saved()
        if is_stopped:
            raise Interrupted(f"stopped after {training.steps} of {steps} steps")
    return folder / POLICY


def seconds_per_step(scenario: Scenario, *, rounds: int) -> float:
    """Return how long a step of training takes, with the slower meaning of actions; learning and saving are included.

    Saving takes the share that its cadence allows, at most.
    """
    playing = max(_timed(_arena(scenario, TrainingTask(acting, rounds, 3 * TIMED, 0))) for acting in ACTINGS)
    return (1 + SELDOM.share) * playing


def _timed(arena: LearningTask) -> float:
    """Return the seconds of a step, without those in which the machine was busy with something else, if it can."""
    settings = replace(_settings(arena, 3 * TIMED), warmup=SETTINGS.pace)
    clock, made = [], []
    for training in train(arena, settings, steps=3 * TIMED, seed=0, every=TIMED):
        clock.append(perf_counter())
        made.append(training.steps)
    laps = zip(pairwise(clock), pairwise(made), strict=True)
    return min((end - begin) / (after - before) for (begin, end), (before, after) in laps)


def steps_made(folder: Path) -> int:
    """Return how many steps the training of a policy has made, up to its last snapshot."""
    lessons = read_json(folder / LESSONS)
    return latest_place(folder) if lessons is None else int(lessons["steps"])


def returns_of(folder: Path) -> tuple[float, ...]:
    """Return the return of each episode that a policy was trained on."""
    return tuple(read_json(folder / LESSONS)["returns"])


def _taught(course: TrainingBudget) -> Path | Stopped:
    stop = stop_file(course.folder.parent)
    if stop.exists():
        return Stopped()
    config, catalogues = course.config, replace(load_plugins(course.plugins), loaded=SharedData(course.data))
    with torch_threads(config.execution.threads):
        return train_attack(
            build_scenario(config, load_dataset(config, catalogues), catalogues=catalogues),
            course.lesson,
            folder=course.folder,
            wants_stop=stop.exists,
        )


def _arena(scenario: Scenario, lesson: TrainingTask) -> LearningTask:
    """Return the game that the attackers learn in."""
    own = held_examples(scenario)
    game = attack_game(
        replace(scenario, federation=replace(scenario.federation, test=own), attackers=()),
        malicious=sum(len(party.clients) for party in scenario.parties),
        acting=lesson.acting,
        rounds=lesson.rounds,
        ceiling=CEILING,
    )
    return LearningTask(game, ATTACKER)


def _settings(arena: LearningTask, steps: int) -> TD3Settings:
    """Remember every step, as far as memory allows."""
    return replace(SETTINGS, buffer=min(max(steps, SETTINGS.batch), SETTINGS.buffer, largest_buffer(arena.space)))


def _packed(packed: Snapshot, returns: Sequence[float]) -> Snapshot:
    """Put what episodes have returned so far beside where training stands."""
    return Snapshot(packed.tensors, {"training": packed.numbers, "returns": list(returns)})


def _stood(folder: Path) -> tuple[Snapshot | None, tuple[float, ...]]:
    """Return where training stood, and what episodes had returned."""
    found, numbers = latest_part(folder, "training")
    return found, tuple(numbers.get("returns", ()))
