"""When a long computation is saved: by time, not by count."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class CheckpointInterval:
    """The interval of checkpoints: at least `seconds`, and such that saving takes at most a `share` of the time."""

    seconds: float = 5.0
    share: float = 0.05

    def is_due(self, elapsed: float, cost: float) -> bool:
        """Return whether to save again, `elapsed` seconds after the last save, which took `cost` seconds."""
        return elapsed >= max(self.seconds, cost / self.share)


SELDOM = CheckpointInterval()


class SavePace:
    """Decides when to save again, by a clock and the measured cost of saving."""

    def __init__(self, cadence: CheckpointInterval = SELDOM, *, clock: Callable[[], float] = perf_counter) -> None:
        self.cadence, self.clock = cadence, clock
        self._asked = self._saved = clock()
        self._cost = 0.0

    def is_due(self) -> bool:
        """Return whether to save now; the cost of saving is measured from this call on."""
        self._asked = self.clock()
        return self.cadence.is_due(self._asked - self._saved, self._cost)

    def saved(self) -> None:
        """Record the end of a save."""
        self._saved = self.clock()
        self._cost = self._saved - self._asked
