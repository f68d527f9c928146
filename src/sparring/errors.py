"""The exception tree: everything Sparring raises on purpose derives from `SparringError`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("sparring", "torch")
"""Packages that a player calls, or that call it."""
EXHAUSTED = "OutOfMemoryError"
"""What torch raises for a device; to name it here would import torch, for which no `--help` should wait."""


class SparringError(Exception):
    """Something the caller can put right; the message names the offender, what was given and what would do."""


class ConfigError(SparringError, ValueError):
    """A setting is out of range, contradictory or of the wrong type."""


class WrongKind(ConfigError, TypeError):
    """An object of one kind is given where another kind is meant."""


class UnknownName(ConfigError):
    """A name or key is in no table; the message offers the nearest one."""


class DataError(SparringError, ValueError):
    """A data file is missing, malformed or not the published one."""


class RunError(SparringError, RuntimeError):
    """A run folder cannot be used: it exists, is locked, damaged, or cannot be written."""


class UnknownFolder(RunError, ConfigError):
    """A folder that was named holds something else than what was asked for, or nothing."""


class SavingError(RunError):
    """A file system refused something: no fault of what was to be saved there."""


class PluginError(SparringError, RuntimeError):
    """A player broke its contract; the message names the class."""


class Interrupted(SparringError):
    """A run was asked to stop; it can be resumed."""


class FormerName(FutureWarning):
    """A name of an earlier version is used; the message says the present one."""


@contextmanager
def blaming(player: str) -> Iterator[None]:
    """Name who raised an error that is not ours; that there is no memory left is nobody's fault."""
    try:
        yield
    except (SparringError, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == EXHAUSTED:
            raise
        message = next(iter(str(error).splitlines()), "no message")
        raise PluginError(f"{player} raised {type(error).__name__}: {message}{_place(error)}") from error


def _place(error: Exception) -> str:
    """Return the file and the line of an error: where the player's own package was last, or else ours."""
    if isinstance(error, SyntaxError):
        return ""  # its message has both
    places: dict[str, str] = {}
    traceback = error.__traceback__
    while traceback is not None:
        frame, line = traceback.tb_frame, traceback.tb_lineno
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if not frame.f_code.co_filename.startswith("<") and package not in sys.stdlib_module_names:
            places[package] = f" ({_near(frame.f_code.co_filename)}:{line})"
        traceback = traceback.tb_next
    theirs = [package for package in places if package not in OURS]
    return places[theirs[0]] if theirs else places.get(OURS[0], "")


def _near(file: str) -> str:
    """Return a path as it is from the folder that the process works in, if it lies there."""
    return os.path.relpath(file) if os.path.abspath(file).startswith(os.getcwd() + os.sep) else file
