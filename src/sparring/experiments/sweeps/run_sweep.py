"""Execute the missing runs of a sweep."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sparring.errors import Interrupted, RunError, SavingError
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Notice, ignore
from sparring.experiments.config.plugins import plugins_of
from sparring.experiments.jobs.job import Failed, Stopped
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.experiments.sweeps.grid import Cell, by_digest
from sparring.experiments.sweeps.plan import Plan, plan_sweep
from sparring.experiments.sweeps.sweep_folder import (
    DATA,
    Failure,
    forget_failure,
    is_sweep,
    read_failure,
    read_result,
    read_sweep,
    sweep_lock,
    write_failure,
    write_sweep,
)
from sparring.experiments.sweeps.task import Completed, Ending, RunTask, run_task
from sparring.experiments.sweeps.tuning import CandidateRun, Choice, Context, choose, write_selection


@dataclass(frozen=True)
class SweepObserver:
    """Callbacks of a sweep: for the number of runs to execute, for each run that has ended, and for notices."""

    expect: Callable[[int], None] = ignore
    ended: Callable[[Cell, Ending], None] = lambda cell, ending: None
    notice: Notice = ignore


HERE, UNSEEN = InlineWorkers(), SweepObserver()


class SweepSummary(NamedTuple):
    """The status of a sweep: the number of known and of complete runs, the failures, and the choices."""

    runs: int
    complete: int
    failures: tuple[Failure, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class SweepJob:
    """The fixed parts of a sweep in progress."""

    folder: Path
    workers: Workers
    observer: SweepObserver
    retry_failed: bool
    catalogues: Catalogues


def sweep(
    plan: Plan,
    folder: str | Path,
    *,
    workers: Workers = HERE,
    observer: SweepObserver = UNSEEN,
    retry_failed: bool = False,
    catalogues: Catalogues = CATALOGUES,
) -> SweepSummary:
    """Execute the runs of a plan that are not complete; runs that failed before only with `retry_failed`.

    Data sets are loaded once. If the catalogues already share data sets in a folder, that folder is used and kept.
    """
    job = SweepJob(Path(folder), workers, observer, retry_failed, catalogues)
    with sweep_lock(job.folder):
        before = {cell.digest for cell in read_sweep(job.folder).cells} if is_sweep(job.folder) else set()
        plan = _settle_and_save(job, plan)
        if plan.open:
            _run_missing(job, plan.candidates)
            plan = _settle_and_save(job, plan)
        if plan.open:
            observer.notice(f"{plan.open} cells are missing, because a run for tuning them failed")
        dropped = before.difference(plan.runs)
        if dropped:
            observer.notice(f"{len(dropped)} runs in {folder} are no longer part of the sweep; they are kept")
        _run_missing(job, plan.cells)
        return summarize_sweep(plan, job.folder)


def summarize_sweep(plan: Plan, folder: Path) -> SweepSummary:
    """Return the status of a sweep from its folder."""
    complete = sum(read_result(folder, run) is not None for run in plan.runs)
    failures = (read_failure(folder, run) for run in plan.runs)
    choices = tuple(_read_choices(plan, folder).values())
    return SweepSummary(
        len(plan.runs), complete, tuple(failure for failure in failures if failure is not None), choices
    )


def list_missing(folder: Path, cells: Sequence[Cell], *, retry_failed: bool) -> Sequence[Cell]:
    """Return one cell for each run that is not complete; runs that failed before only with `retry_failed`."""
    left = [cell for run, cell in by_digest(cells).items() if read_result(folder, run) is None]
    return [cell for cell in left if retry_failed or read_failure(folder, cell.digest) is None]


def _read_choices(plan: Plan, folder: Path) -> Mapping[Context, Choice]:
    """Return the choices of which all candidates are complete."""
    if plan.selection is None:
        return {}
    results = ((cell.labels, read_result(folder, cell.digest)) for cell in plan.candidates)
    tried = (CandidateRun(labels, None if result is None else result["accuracy"]) for labels, result in results)
    return choose(plan.selection, tried)


def settle_plan(plan: Plan, folder: Path, *, catalogues: Catalogues = CATALOGUES) -> Plan:
    """Return the plan with the cells that follow from the choices in a folder."""
    chosen = {context: choice.chosen for context, choice in _read_choices(plan, folder).items()}
    return plan_sweep(plan.document, catalogues, preset=plan.preset, chosen=chosen) if chosen else plan


def _settle_and_save(job: SweepJob, plan: Plan) -> Plan:
    """Return the plan with the choices so far, and save it."""
    plan = settle_plan(plan, job.folder, catalogues=job.catalogues)
    if plan.selection is not None:
        write_selection(job.folder, plan.selection, choices=_read_choices(plan, job.folder))
    used = (plugins_of(cell.config, job.catalogues) for cell in (*plan.candidates, *plan.cells))
    write_sweep(job.folder, plan, plugins=dict(item for plugins in used for item in plugins.items()))
    return plan


def _run_missing(job: SweepJob, cells: Sequence[Cell]) -> None:
    """Execute the missing runs of some cells."""
    cells = list_missing(job.folder, cells, retry_failed=job.retry_failed)
    plugins = tuple(plugin.module for plugin in job.catalogues.plugins)
    shared = job.catalogues.loaded
    data = shared.folder if isinstance(shared, SharedData) else job.folder / DATA
    tasks = [RunTask(job.folder, cell.config, plugins, data) for cell in cells]
    job.observer.expect(len(tasks))
    stopped = 0
    with closing(job.workers.calls(run_task, tasks)) as answers:
        for index, answer in answers:
            ending = Failed(str(answer)) if isinstance(answer, RunError) else answer
            _record_ending(job, cells[index], ending=ending)
            stopped += isinstance(ending, Stopped)
    if stopped:
        raise Interrupted(f"stopped with {stopped} runs left; the same command resumes the sweep")


def _record_ending(job: SweepJob, cell: Cell, *, ending: Ending) -> None:
    """Record the ending of a run."""
    if isinstance(ending, Failed):
        if ending.is_unsaved:
            raise SavingError(ending.error)
        write_failure(job.folder, Failure(cell.labels, cell.digest, ending.error, ending.traceback))
    elif isinstance(ending, Completed):
        forget_failure(job.folder, cell.digest)
    job.observer.ended(cell, ending)
