"""How fast a run goes."""

from dataclasses import dataclass
from time import perf_counter

from sparring.federation import FederationState, RoundRecord, Scenario, measure


@dataclass
class Laps:
    """So many rounds and the seconds that they took."""

    rounds: int = 0
    seconds: float = 0.0


class Stopwatch:
    """Counts rounds and their seconds: those that ended in an evaluation apart from the others."""

    def __init__(self) -> None:
        self.plain, self.evaluated = Laps(), Laps()
        self._since = perf_counter()

    def start(self) -> None:
        """Let the next round begin now."""
        self._since = perf_counter()

    def stop(self, record: RoundRecord) -> None:
        """Count the round that has just ended; the start of a run is no round."""
        if record.round > 0:
            laps = self.plain if record.accuracy is None else self.evaluated
            laps.rounds += 1
            laps.seconds += perf_counter() - self._since


def rounds_per_second(stopwatch: Stopwatch, scenario: Scenario, *, state: FederationState) -> float | None:
    """Return the speed of training alone; None where nothing was timed.

    It is that of the rounds without evaluation. Where there are none, one evaluation is timed and taken off.
    """
    plain, evaluated = stopwatch.plain, stopwatch.evaluated
    if plain.rounds > 0:
        return plain.rounds / plain.seconds
    if evaluated.rounds == 0:
        return None
    began = perf_counter()
    measure(scenario, state)
    training = evaluated.seconds - evaluated.rounds * (perf_counter() - began)
    # However the clock jitters, a round takes some time.
    return evaluated.rounds / max(training, 0.01 * evaluated.seconds)
