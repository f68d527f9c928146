"""How a piece of work ends: with its answer, stopped where it can resume, or failed."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from sparring.errors import Interrupted, SavingError, SparringError

Answer = TypeVar("Answer")


class Stopped(NamedTuple):
    """A run that was asked to stop."""


class Failed(NamedTuple):
    """A run that came to no end, and whether it is the file system that is to blame."""

    error: str
    traceback: str | None = None
    is_unsaved: bool = False


def outcome_of(play: Callable[[], Answer]) -> Answer | Stopped | Failed:
    """Return the answer to a call, or what came in its place."""
    try:
        return play()
    except Interrupted:
        return Stopped()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is recorded)
        return Failed(_line(error), traceback.format_exc(), isinstance(error, SavingError))


def _line(error: Exception) -> str:
    message = "; ".join(str(error).splitlines()) or "no message"
    return message if isinstance(error, SparringError) else f"{type(error).__name__}: {message}"


STOP = ".stop"
"""A file that asks workers to stop, there only while they play."""


def stop_file(folder: Path) -> Path:
    """Return the file that asks workers to stop soon, and to leave what they do to be gone on with."""
    return folder / STOP
