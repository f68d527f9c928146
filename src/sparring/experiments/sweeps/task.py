"""One run of a sweep, as a worker plays it."""

import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sparring.errors import Interrupted, RunError, SavingError, SparringError
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.parse import digest
from sparring.experiments.config.plugins import load_plugins
from sparring.experiments.config.schema import Config
from sparring.experiments.manifest import has_manifest, read_manifest
from sparring.experiments.observer import Observer
from sparring.experiments.runner import Outcome, resume, run
from sparring.experiments.sweeps.folder import run_folder, stop_file
from sparring.experiments.sweeps.shared_data import SharedData

Answer = TypeVar("Answer")


class Task(NamedTuple):
    """A run to play in a sweep's folder, with the plug-ins that it may name something from, and where data sets are."""

    folder: Path
    config: Config
    plugins: tuple[str, ...]
    data: Path


class Played(NamedTuple):
    """A run that is complete, and what there is to tell of it."""

    result: dict[str, Any]
    notices: tuple[str, ...]


class Stopped(NamedTuple):
    """A run that was asked to stop."""


class Failed(NamedTuple):
    """A run that came to no end, and whether it is the file system that is to blame."""

    error: str
    traceback: str | None = None
    is_unsaved: bool = False


Ending = Played | Stopped | Failed


def play_task(task: Task) -> Ending:
    """Play a run, from where it is; it is only told of what goes wrong, so that the others go on."""
    return ended(partial(_played, task))


def ended(play: Callable[[], Answer]) -> Answer | Stopped | Failed:
    """Return the answer to a call, or what came in its place."""
    try:
        return play()
    except Interrupted:
        return Stopped()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is recorded)
        return Failed(_line(error), traceback.format_exc(), isinstance(error, SavingError))


def _played(task: Task) -> Played | Stopped:
    notices: list[str] = []
    stop = stop_file(task.folder)
    if stop.exists():
        return Stopped()
    catalogues = replace(load_plugins(task.plugins), loaded=SharedData(task.data))
    outcome = _play(task, Observer(notice=notices.append, wants_stop=stop.exists), catalogues=catalogues)
    return Played(outcome.result, tuple(notices))


def _play(task: Task, observer: Observer, *, catalogues: Catalogues) -> Outcome:
    wanted = digest(task.config)
    folder = run_folder(task.folder, wanted)
    if not has_manifest(folder):
        return run(task.config, folder, existing="resume", observer=observer, catalogues=catalogues)
    if digest(read_manifest(folder, catalogues).config) != wanted:
        raise RunError(f"{folder} holds another run; remove it, or choose another folder")
    return resume(folder, observer=observer, catalogues=catalogues)


def _line(error: Exception) -> str:
    message = "; ".join(str(error).splitlines()) or "no message"
    return message if isinstance(error, SparringError) else f"{type(error).__name__}: {message}"
