"""Who follows a run from outside."""

from collections.abc import Callable
from dataclasses import dataclass

from sparring.experiments.config.catalogues import Notice, ignore
from sparring.federation import RoundRecord


def never() -> bool:
    return False


@dataclass(frozen=True)
class Observer:
    """Told of each record and of what is worth a notice; asked after each round whether to stop."""

    record: Callable[[RoundRecord], None] = ignore
    notice: Notice = ignore
    wants_stop: Callable[[], bool] = never


NOBODY = Observer()
