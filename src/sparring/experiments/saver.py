"""When the state of a run, or of a training, is saved."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sparring.experiments.checkpoint import save_checkpoint
from sparring.experiments.journal import Journal
from sparring.federation import FederationState


@dataclass(frozen=True)
class Cadence:
    """Save at most every so many `seconds`, and so seldom that it takes no more than a `share` of the time."""

    seconds: float = 5.0
    share: float = 0.05

    def is_due(self, elapsed: float, cost: float) -> bool:
        """Say whether to save again, `elapsed` seconds after the last time, which took `cost` seconds."""
        return elapsed >= max(self.seconds, cost / self.share)


SELDOM = Cadence()


class Pace:
    """Says when to save again, by a clock and by what saving has cost."""

    def __init__(self, cadence: Cadence = SELDOM, *, clock: Callable[[], float] = perf_counter) -> None:
        self.cadence, self.clock = cadence, clock
        self._asked = self._saved = clock()
        self._cost = 0.0

    def is_due(self) -> bool:
        """Say whether to save now; saving is taken to begin with this question."""
        self._asked = self.clock()
        return self.cadence.is_due(self._asked - self._saved, self._cost)

    def saved(self) -> None:
        """Be told that saving is done."""
        self._saved = self.clock()
        self._cost = self._saved - self._asked


class Saver:
    """Saves the states of one run, on request or when its cadence says so."""

    def __init__(self, folder: Path, journal: Journal, *, run: str, cadence: Cadence) -> None:
        self.folder, self.journal, self.run = folder, journal, run
        self.pace = Pace(cadence)

    def is_due(self) -> bool:
        return self.pace.is_due()

    def save(self, state: FederationState) -> None:
        """Write a checkpoint; the records up to it reach the disk first."""
        save_checkpoint(self.folder, state, run=self.run, records=self.journal.mark())
        self.pace.saved()
