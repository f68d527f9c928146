"""Policies that are trained side by side, each by a call of its own, and the files that they end in."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TypeVar

from sparring.attacks import TrainedAttack, save_attack
from sparring.attacks.learned.trained_attack import is_shipped
from sparring.errors import Interrupted, RunError, SavingError
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.workers import Workers

Lesson = TypeVar("Lesson")

UNARMED: Section = {"name": "none"}
"""What malicious clients play that behave."""

NOBODY = nullcontext()


def train_policies(
    workers: Workers,
    take: Callable[[Lesson], Path | Stopped | Failed],
    *,
    lessons: Mapping[str, Lesson],
    folder: Path,
    following: AbstractContextManager[None] = NOBODY,
) -> None:
    """Have lessons taken, by their labels, whose policies go into a folder; if one fails, so does this.

    Whoever follows comes in when the folder is there, so that no stop that is asked for is overlooked.
    """
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stop_file(folder).unlink(missing_ok=True)
    labels, stopped = list(lessons), 0
    with following, closing(workers.calls(take, list(lessons.values()))) as answers:
        for place, answer in answers:
            stopped += _is_stopped(answer, labels[place])
    if stopped:
        raise Interrupted("stopped while training; the same command goes on")


def refuse_shipped(policy: Path) -> None:
    """Refuse to train a policy that comes with Sparring: nothing is ever written into the package."""
    if is_shipped(policy):
        raise RunError(f"{policy} comes with Sparring and is missing; install Sparring again, or train with --train")


def save_policy(path: Path, trained: TrainedAttack) -> None:
    """Save an attack so that it is there as a whole or not at all."""
    refuse_shipped(path)
    partial_path = path.with_suffix(".partial")
    with translate_os_errors(path):
        save_attack(partial_path, trained)
        partial_path.replace(path)


def _is_stopped(answer: Path | Stopped | Failed | RunError, label: str) -> bool:
    """Say whether training was stopped; an error is raised."""
    if isinstance(answer, RunError):
        raise RunError(f"{label} failed: {answer}")
    if isinstance(answer, Failed):
        raise (SavingError if answer.is_unsaved else RunError)(f"{label} failed: {answer.error}")
    return isinstance(answer, Stopped)
