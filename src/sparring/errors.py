"""The exception tree: everything Sparring raises on purpose derives from `SparringError`."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import OutOfMemoryError


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


class SavingError(RunError):
    """A file system refused something: no fault of what was to be saved there."""


class PluginError(SparringError, RuntimeError):
    """A player broke its contract; the message names the class."""


class Interrupted(SparringError):
    """A run was asked to stop; it can be resumed."""


@contextmanager
def blaming(player: str) -> Iterator[None]:
    """Name who raised an error that is not ours; that there is no memory left is nobody's fault."""
    try:
        yield
    except (SparringError, MemoryError, OutOfMemoryError):
        raise
    except Exception as error:
        message = next(iter(str(error).splitlines()), "no message")
        raise PluginError(f"{player} raised {type(error).__name__}: {message}") from error
