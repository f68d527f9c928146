"""The outcome of a job: its result, stopped in a resumable state, or failed."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from sparring.errors import Interrupted, SavingError, SparringError

Answer = TypeVar("Answer")


class Stopped(NamedTuple):
    """The outcome of a job that was stopped on request and can be resumed."""


class Failed(NamedTuple):
    """The outcome of a job that raised an error, and whether the file system caused it."""

    error: str
    traceback: str | None = None
    is_unsaved: bool = False


def capture_outcome(job: Callable[[], Answer]) -> Answer | Stopped | Failed:
    """Return the result of a call, or `Stopped` or `Failed` if it raised an error."""
    try:
        return job()
    except Interrupted:
        return Stopped()
    except Exception as error:  # noqa: BLE001  (every error is recorded)
        return Failed(format_error(error), traceback.format_exc(), isinstance(error, SavingError))


def format_error(error: Exception) -> str:
    """Return an error in one line."""
    message = "; ".join(str(error).splitlines()) or "no message"
    return message if isinstance(error, SparringError) else f"{type(error).__name__}: {message}"


STOP = ".stop"
"""A file that requests workers to stop; it exists only while they run."""


def stop_file(folder: Path) -> Path:
    """Return the file that requests workers to stop soon, in a resumable state."""
    return folder / STOP
