"""Observers of a run."""

from collections.abc import Callable
from dataclasses import dataclass

from sparring.experiments.config.catalogues import Notice, ignore
from sparring.federation import RoundRecord


def never() -> bool:
    """Return False: never request a stop."""
    return False


@dataclass(frozen=True)
class Observer:
    """Callbacks of a run: for each record, for notices, and after each round for a request to stop."""

    record: Callable[[RoundRecord], None] = ignore
    notice: Notice = ignore
    wants_stop: Callable[[], bool] = never


NOBODY = Observer()
