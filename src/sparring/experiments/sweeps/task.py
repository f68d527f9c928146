"""One run of a sweep, executed by a worker."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sparring.errors import RunError
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.config.parse import digest
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.jobs.job import Failed, Stopped, capture_outcome, stop_file
from sparring.experiments.jobs.observer import Observer
from sparring.experiments.runs.manifest import has_manifest, read_manifest
from sparring.experiments.runs.run import Outcome, resume, run
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.experiments.sweeps.sweep_folder import run_folder


class RunTask(NamedTuple):
    """A run of a sweep: the sweep's folder, the configuration, the plug-ins, and the folder of shared data sets."""

    folder: Path
    config: AnyConfig
    plugins: tuple[str, ...]
    data: Path


class Completed(NamedTuple):
    """The result of a complete run, and its notices."""

    result: dict[str, Any]
    notices: tuple[str, ...]


Ending = Completed | Stopped | Failed


def run_task(task: RunTask) -> Ending:
    """Execute or resume a run; errors are returned, not raised, so that other runs continue."""
    return capture_outcome(partial(_run_or_stop, task))


def _run_or_stop(task: RunTask) -> Completed | Stopped:
    notices: list[str] = []
    stop = stop_file(task.folder)
    if stop.exists():
        return Stopped()
    catalogues = replace(load_plugins(task.plugins), loaded=SharedData(task.data))
    outcome = _run_or_resume(task, Observer(notice=notices.append, wants_stop=stop.exists), catalogues=catalogues)
    return Completed(outcome.result, tuple(notices))


def _run_or_resume(task: RunTask, observer: Observer, *, catalogues: Catalogues) -> Outcome:
    wanted = digest(task.config)
    folder = run_folder(task.folder, wanted)
    if not has_manifest(folder):
        return run(task.config, folder, existing="resume", observer=observer, catalogues=catalogues)
    if digest(read_manifest(folder, catalogues).config) != wanted:
        raise RunError(f"{folder} holds another run; remove it, or choose another folder")
    return resume(folder, observer=observer, catalogues=catalogues)
