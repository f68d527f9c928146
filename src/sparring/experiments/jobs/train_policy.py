"""Train policies in parallel, one call each, and save them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from sparring.errors import Interrupted, RunError, SavingError
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.experiments.jobs.job import Failed, Stopped, capture_outcome, stop_file
from sparring.experiments.jobs.workers import Workers
from sparring.policies import saved_policy
from sparring.policies.saved_policy import SavedPolicy, is_shipped

Job = TypeVar("Job")

HONEST: Section = {"name": "none"}
"""The attack section of malicious clients that train honestly."""

NOBODY = nullcontext()


def train_policies(
    workers: Workers,
    train: Callable[[Job], Path | Stopped | Failed],
    *,
    jobs: Mapping[str, Job],
    folder: Path,
    following: AbstractContextManager[None] = NOBODY,
) -> None:
    """Train policies in parallel, given as jobs by their labels, and save them in `folder`; a failure is raised.

    The context `following` is entered after the folder exists, so that no request to stop is lost.
    """
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stop_file(folder).unlink(missing_ok=True)
    labels, stopped = list(jobs), 0
    with following, closing(workers.calls(train, list(jobs.values()))) as answers:
        for index, answer in answers:
            stopped += _is_stopped(answer, labels[index])
    if stopped:
        raise Interrupted("stopped while training; the same command resumes it")


def train_or_stop(train: Callable[[Job], Path], job: Job, folder: Path) -> Path | Stopped | Failed:
    """Train a policy unless a stop is requested in the folder; errors are returned, not raised."""
    return Stopped() if stop_file(folder).exists() else capture_outcome(partial(train, job))


def refuse_shipped(policy: Path) -> None:
    """Reject a path to a pre-trained policy: nothing is written into the package."""
    if is_shipped(policy):
        raise RunError(f"{policy} is a pre-trained policy and is missing; reinstall Sparring, or train with --train")


def save_policy(path: Path, trained: SavedPolicy) -> None:
    """Save a policy atomically."""
    refuse_shipped(path)
    partial_path = path.with_suffix(".partial")
    with translate_os_errors(path):
        saved_policy.save_policy(partial_path, trained)
        partial_path.replace(path)


def _is_stopped(answer: Path | Stopped | Failed | RunError, label: str) -> bool:
    """Return whether training was stopped; a failure is raised."""
    if isinstance(answer, RunError):
        raise RunError(f"{label} failed: {answer}")
    if isinstance(answer, Failed):
        raise (SavingError if answer.is_unsaved else RunError)(f"{label} failed: {answer.error}")
    return isinstance(answer, Stopped)
