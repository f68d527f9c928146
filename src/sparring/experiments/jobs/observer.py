"""Observers of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparring.experiments.config.catalogues import Notice, ignore


def never() -> bool:
    """Return False: never request a stop."""
    return False


@dataclass(frozen=True)
class Observer:
    """Callbacks of a run: its number of rounds, each record, notices, and after each round a request to stop."""

    record: Callable[[Any], None] = ignore
    """Receives a `Record`."""
    notice: Notice = ignore
    wants_stop: Callable[[], bool] = never
    expect: Callable[[int], None] = ignore
    """Receives the number of rounds of the whole run, before the first record."""
    stage: Callable[[str], None] = ignore
    """Receives what takes place before the first round, such as a player's training."""


NOBODY = Observer()
