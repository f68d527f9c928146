"""The loop of every long computation: it runs, saves by time, stops on request, and resumes to the same bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from sparring.errors import Interrupted
from sparring.experiments.jobs.observer import never
from sparring.experiments.jobs.save_pace import SavePace
from sparring.experiments.jobs.snapshots import latest_snapshot, save_snapshot
from sparring.learning.learner import Learner, LearningState, train
from sparring.learning.stackelberg import Domain, MetaStackelberg, StackelbergState
from sparring.learning.training_env import LearningTask
from sparring.snapshot import Codec

State = TypeVar("State")
Trained = TypeVar("Trained", bound=LearningState)


@dataclass(frozen=True)
class ResumableJob(Generic[State]):
    """A computation in stages, each of which ends with a state that can be saved."""

    states: Callable[[State | None], Iterator[State]]
    """Yields the states that follow on one; None: from the beginning."""
    codec: Codec[State]
    progress: Callable[[State], int]
    total: int
    """The progress at the end."""
    unit: str = "steps"


def run_job(
    job: ResumableJob[State], folder: Path, *, wants_stop: Callable[[], bool] = never, pace: SavePace | None = None
) -> State | None:
    """Return the last state of a job, which resumes from the snapshot in the folder; None if there is no state at all.

    A stop is requested by `wants_stop`: the state is saved, and `Interrupted` is raised.
    """
    found, pace = latest_snapshot(folder), SavePace() if pace is None else pace
    state = None if found is None else job.codec.unpack(found)
    for state in job.states(state):  # noqa: B020  (the states follow on the first one)
        is_due, is_stopped = pace.is_due(), wants_stop()
        if is_due or is_stopped:
            save_snapshot(folder, job.codec.pack(state), progress=job.progress(state))
            pace.saved()
        if is_stopped:
            raise Interrupted(f"stopped after {job.progress(state)} of {job.total} {job.unit}")
    return state


def training_job(learner: Learner[Trained], task: LearningTask, *, steps: int, seed: int) -> ResumableJob[Trained]:
    """Return the training of a learner as a job."""
    return ResumableJob(
        lambda start: train(learner, task, steps=steps, seed=seed, start=start),
        learner.codec(task),
        progress=lambda state: state.steps,
        total=steps,
    )


def stackelberg_job(
    learner: MetaStackelberg, domain: Domain, first: StackelbergState, *, steps: int, seed: int
) -> ResumableJob[StackelbergState]:
    """Return meta-Stackelberg learning as a job, which begins with the state `first`."""
    return ResumableJob(
        lambda start: learner.states(first if start is None else start, domain, steps=steps, seed=seed),
        learner.codec,
        progress=lambda state: state.steps,
        total=steps,
        unit="iterations",
    )
