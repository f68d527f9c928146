"""The exception tree: everything Sparring raises on purpose derives from `SparringError`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("sparring", "torch")
"""Packages whose stack frames are passed over when an error is attributed to a player's own code."""
EXHAUSTED = "OutOfMemoryError"
"""The name of torch's out-of-memory error; importing torch here would slow down every `--help`."""


class SparringError(Exception):
    """An error that the caller can correct; the message names the offender, the value given and what would do."""


class ConfigError(SparringError, ValueError):
    """A setting is out of range, contradictory or of the wrong type."""


class WrongKind(ConfigError, TypeError):
    """An object of one kind is given where another kind is expected."""


class UnknownName(ConfigError):
    """A name or key is not in the table; the message offers the nearest known one."""


class DataError(SparringError, ValueError):
    """A data file is missing, malformed or differs from the published file."""


class RunError(SparringError, RuntimeError):
    """A run folder cannot be used: it exists already, is locked or damaged, or cannot be written."""


class UnknownFolder(RunError, ConfigError):
    """The given folder is missing or holds something other than what the command needs."""


class SavingError(RunError):
    """The file system rejected a write; the data to be saved are not at fault."""


class PluginError(SparringError, RuntimeError):
    """A player violated its contract; the message names the class."""


class Interrupted(SparringError):
    """A run was asked to stop; it can be resumed."""


class FormerName(FutureWarning):
    """A name of an earlier version is used; the message says the present one."""


@contextmanager
def attribute_errors(player: str) -> Iterator[None]:
    """Attribute an error that is not a Sparring error to `player`; out-of-memory errors are passed on unchanged."""
    try:
        yield
    except (SparringError, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == EXHAUSTED:
            raise
        message = next(iter(str(error).splitlines()), "no message")
        raise PluginError(f"{player} raised {type(error).__name__}: {message}{_location(error)}") from error


def _location(error: Exception) -> str:
    """Return the file and line of an error: the last frame in the player's own package, else the last one in ours."""
    if isinstance(error, SyntaxError):
        return ""  # the message of a SyntaxError already names both
    locations: dict[str, str] = {}
    traceback = error.__traceback__
    while traceback is not None:
        frame, line = traceback.tb_frame, traceback.tb_lineno
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if not frame.f_code.co_filename.startswith("<") and package not in sys.stdlib_module_names:
            locations[package] = f" ({_near(frame.f_code.co_filename)}:{line})"
        traceback = traceback.tb_next
    theirs = [package for package in locations if package not in OURS]
    return locations[theirs[0]] if theirs else locations.get(OURS[0], "")


def _near(file: str) -> str:
    """Return a path relative to the working directory if it lies inside it."""
    return os.path.relpath(file) if os.path.abspath(file).startswith(os.getcwd() + os.sep) else file
