"""The progress of a job with several stages: one bar with the time left for all of it, or one for each stage."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sparring.cli.progress import LINES, Indicator, Show, follow_sweep, follow_training, show_notice, show_progress
from sparring.experiments.sweeps import SweepObserver

PRIOR = 0.1
"""The share of the planned time that weighs as much as the plan itself when the pace is estimated."""
MINUTE, HOUR = 60, 3600


class StageClock:
    """How much of a planned time is done, in planned seconds, and how much time is left at the pace so far.

    What an earlier session did counts as done, and says nothing about the pace.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = perf_counter) -> None:
        self._seconds, self._clock = seconds, clock
        self._began = self._updated = clock()
        self._finished = self._stage = self._within = self._skipped = 0.0
        self._has_started = False

    def begin(self, seconds: float) -> None:
        """Begin a stage with its planned seconds; the one before is complete."""
        self._reach(1.0)
        self._finished += self._stage
        self._stage, self._within, self._has_started = seconds, 0.0, False

    def reach(self, share: float) -> None:
        """Set the share of the stage that is done; the first call says what was done before."""
        self._reach(share)
        self._has_started = True

    @property
    def share(self) -> float:
        """The share of the whole job that is done."""
        return min(1.0, (self._finished + self._within) / self._seconds)

    @property
    def left(self) -> float:
        """The seconds left; they run down between updates."""
        prior = PRIOR * self._seconds
        done = self._finished + self._within
        pace = (self._updated - self._began + prior) / (max(0.0, done - self._skipped) + prior)
        return max(0.0, pace * (self._seconds - done) - (self._clock() - self._updated))

    def _reach(self, share: float) -> None:
        made = share * self._stage
        if not self._has_started:
            self._skipped += made - self._within
        self._within, self._updated = made, self._clock()


def format_left(seconds: float) -> str:
    """Format the time left, rounded as befits an estimate."""
    if seconds < MINUTE:
        return "less than 1 min left"
    if seconds < 2 * HOUR:
        return f"about {round(seconds / MINUTE)} min left"
    return f"about {seconds / HOUR:.1f} h left"


class TotalProgress:
    """The progress through all stages; `tell` is called with each stage's name and news."""

    def __init__(self, clock: StageClock, tell: Callable[[str, str], None]) -> None:
        self.clock, self._tell = clock, tell
        self._stage = ""

    def begin(self, stage: str, seconds: float) -> None:
        """Begin a stage with its planned seconds."""
        self.clock.begin(seconds)
        self._stage = stage

    def reach(self, share: float, news: str | None) -> None:
        """Show what share of the stage is done."""
        self.clock.reach(share)
        if news is not None:
            self._tell(self._stage, news)

    @contextmanager
    def part(self, units: int) -> Iterator[Indicator]:
        """Show the progress of a stage with this number of units."""
        yield StagePart(self, units)


class StagePart:
    """The progress of one stage as a part of the whole; units that are not expected are done already."""

    def __init__(self, total: TotalProgress, units: int) -> None:
        self._total, self._units, self._before = total, units, 0

    def expect(self, total: int) -> None:
        self._units = max(self._units, total)
        self._before = self._units - total
        self._reach(0, None)

    def show(self, done: int, news: str | None) -> None:
        self._reach(done, news)

    def _reach(self, done: int, news: str | None) -> None:
        self._total.reach((self._before + done) / self._units if self._units else 1.0, news)


@contextmanager
def show_total(seconds: float) -> Iterator[TotalProgress]:
    """Show how much of a planned time is done, what is done now, and the time left."""
    console, clock = Console(stderr=True), StageClock(seconds)
    if not console.is_terminal:
        yield TotalProgress(clock, TotalLines(clock).tell)
        return
    latest = Text("", overflow="fold")

    def tell(stage: str, news: str) -> None:
        latest.plain = f"{stage}; {news}"

    with Live(get_renderable=lambda: Group(_draw(clock), latest), console=console, transient=True):
        yield TotalProgress(clock, tell)


def _draw(clock: StageClock) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(f"{clock.share:4.0%}", ProgressBar(1.0, clock.share, width=20), format_left(clock.left))
    return row


class TotalLines:
    """Occasional lines, where the output is not a terminal: at the start of a stage, and as the job proceeds."""

    def __init__(self, clock: StageClock) -> None:
        self._clock, self._due, self._stage = clock, 0.0, ""

    def tell(self, stage: str, news: str) -> None:
        """Write a line if the stage is new, or enough is done since the last line."""
        if stage != self._stage or self._clock.share >= self._due:
            self._stage, self._due = stage, self._clock.share + 1 / LINES
            typer.echo(f"{self._clock.share:.0%}, {format_left(self._clock.left)}: {stage}; {news}", err=True)


class ConsoleFollower:
    """Shows the stages of a job on the console."""

    def __init__(self) -> None:
        self._total: TotalProgress | None = None

    @contextmanager
    def whole(self, seconds: float) -> Iterator[None]:
        try:
            with show_total(seconds) as self._total:
                yield
        finally:
            self._total = None

    def begin(self, stage: str, seconds: float = 0.0) -> None:
        if self._total is None:
            show_notice(stage)
        else:
            self._total.begin(stage, seconds)

    def sweep(self, folder: Path, size: int, *, runs: int = 0) -> AbstractContextManager[SweepObserver]:
        return follow_sweep(folder, size, show=self._show(runs))

    def training(self, folder: Path, made: Callable[[], Sequence[int]], *, total: int) -> AbstractContextManager[None]:
        return follow_training(folder, made, total=total, show=self._show(total))

    def _show(self, units: int) -> Show:
        total = self._total
        return show_progress if total is None else lambda *_: total.part(units)
