"""Progress bars, notices, and signals that request a stop."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from sparring.experiments import Observer
from sparring.experiments.jobs.job import Failed, stop_file
from sparring.experiments.sweeps import Cell, Completed, Ending, SweepObserver
from sparring.experiments.sweeps.axes import join_labels
from sparring.records import Record


class StopRequest:
    """A request to stop a run. A run stops immediately before its first record, and after a second request."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self.can_wait = False
        self.is_made = False

    def make(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.is_made or not self.can_wait:
            raise KeyboardInterrupt
        self.is_made = True
        self.tell()


def _do_nothing() -> None:
    """Do nothing: the caller reads `is_made`."""


@contextmanager
def handle_stop_signals(tell: Callable[[], None] = _do_nothing) -> Iterator[StopRequest]:
    """Handle signals as stop requests within the context; `tell` is called for the first one."""
    request = StopRequest(tell)
    before = {number: signal.signal(number, request.make) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


LINES = 20
"""The approximate maximum number of plain lines."""


class Bar:
    """A progress bar with the latest news."""

    def __init__(self, progress: Progress, unit: str, *, total: int) -> None:
        self.progress = progress
        self.task = progress.add_task("", unit=unit, total=total)

    def expect(self, total: int) -> None:
        """Restart with `total` units."""
        self.progress.reset(self.task, total=total)

    def show(self, done: int, news: str | None) -> None:
        """Move the bar; without news the previous news stays."""
        self.progress.update(self.task, completed=done)
        if news is not None:
            self.progress.update(self.task, description=news)


class Lines:
    """Occasional lines of news, where the output is not a terminal."""

    def __init__(self, unit: str, total: int) -> None:
        self.unit, self.total = unit, total
        self.due = 0.0

    def expect(self, total: int) -> None:
        """Restart with `total` units."""
        self.total, self.due = total, 0.0

    def show(self, done: int, news: str | None) -> None:
        """Write a line if there is news and enough units are done since the last line."""
        if news is not None and (done >= self.due or done == self.total):
            self.due = done + self.total / LINES
            typer.echo(f"{self.unit} {done}/{self.total}: {news}", err=True)


class Indicator(Protocol):
    """Shows how many units are done, and the latest news."""

    def expect(self, total: int) -> None:
        """Restart with `total` units."""

    def show(self, done: int, news: str | None) -> None:
        """Show how many units are done; without news the previous news stays."""


@contextmanager
def show_progress(unit: str, total: int) -> Iterator[Indicator]:
    """Show how many of `total` units are done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(unit, total)
        return
    columns = (
        TextColumn("{task.fields[unit]}"),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeRemainingColumn(),
        # Long news wraps within its own column, and does not shrink the other columns.
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, overflow="fold")),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as shown:
        yield Bar(shown, unit, total=total)


@contextmanager
def follow_run() -> Iterator[Observer]:
    """Yield an observer that shows the progress of a run, and stops the run after a signal."""
    with handle_stop_signals() as request, show_progress("round", 0) as shown:

        def take(record: Record) -> None:
            request.can_wait = True
            shown.show(record.round, _describe_round(record))

        yield Observer(
            record=take,
            notice=show_notice,
            wants_stop=lambda: request.is_made,
            expect=shown.expect,
            stage=lambda news: shown.show(0, news),
        )


def _describe_round(record: Record) -> str | None:
    if record.accuracy is None:
        return None
    loss = "not finite" if record.loss is None else f"{record.loss:.4g}"
    beside = "".join(f", {name} {value:.3f}" for name, value in record.headline.items())
    return f"accuracy {record.accuracy:.3f}{beside}, loss {loss}"


def show_notice(message: str) -> None:
    """Print a notice on standard error."""
    typer.echo(f"sparring: {message}", err=True)


class Display:
    """Shows how many runs have ended, are running, and have failed."""

    def __init__(self, shown: Indicator, request: StopRequest, *, size: int) -> None:
        self.shown, self.request, self.size = shown, request, size
        self.total, self.done, self.failed = 0, 0, 0

    def expect(self, runs: int) -> None:
        """Start with this number of runs; from now on a signal waits for the current rounds."""
        self.request.can_wait = True
        self.total, self.done = runs, 0
        self.shown.expect(runs)
        if runs:
            self._show("starting")

    def end(self, cell: Cell, ending: Ending) -> None:
        """Show that a run has ended."""
        self.done += 1
        if isinstance(ending, Failed):
            self.failed += 1
            show_notice(f"{format_labels(cell.labels)} failed: {ending.error}")
        for notice in ending.notices if isinstance(ending, Completed) else ():
            show_notice(notice)
        self._show(_describe_ending(cell, ending))

    def _show(self, news: str) -> None:
        running = min(self.size, self.total - self.done)
        self.shown.show(self.done, f"{running} running, {self.failed} failed; {news}")


Show = Callable[[str, int], AbstractContextManager[Indicator]]
"""Returns what shows how many of a number of units are done."""


@contextmanager
def follow_sweep(folder: Path, size: int, *, show: Show = show_progress) -> Iterator[SweepObserver]:
    """Yield an observer of a sweep with `size` workers; a signal asks the workers to stop."""
    with handle_stop_signals(stop_file(folder).touch) as request, show("run", 0) as shown:
        display = Display(shown, request, size=size)
        yield SweepObserver(expect=display.expect, ended=display.end, notice=show_notice)


def format_labels(labels: Mapping[str, str]) -> str:
    """Name a cell by its labels; the only cell of a sweep without axes has none."""
    return join_labels(labels) or "the run"


def _describe_ending(cell: Cell, ending: Ending) -> str:
    how = (
        f"accuracy {ending.result['accuracy']:.3f}" if isinstance(ending, Completed) else type(ending).__name__.lower()
    )
    return f"{format_labels(cell.labels)}: {how}"


GLANCE = 2.0
"""Seconds between two looks at the progress of training."""
FEW = 4
"""Up to this number of policies, the steps of each are shown; of more, the number of policies that have started."""


@contextmanager
def follow_training(
    folder: Path, made: Callable[[], Sequence[int]], *, total: int, show: Show = show_progress
) -> Iterator[None]:
    """Show the training steps of each policy in a folder, of `total` steps overall; a signal requests a stop."""
    with handle_stop_signals(stop_file(folder).touch) as request, show("step", total) as shown:
        request.can_wait = True

        def look(before: Sequence[int]) -> Sequence[int]:
            steps = made()
            if steps != before:
                shown.show(sum(steps), _describe_steps(steps))
            return steps

        with look_repeatedly(look):
            yield


@contextmanager
def look_repeatedly(look: Callable[[Sequence[int]], Sequence[int]]) -> Iterator[None]:
    """Call `look` periodically and at the end, within a context that does not report its progress.

    Each call gets the previous result of `look`.
    """
    done = Event()

    def watch() -> None:
        seen = look([])
        while not done.wait(GLANCE):
            seen = look(seen)
        look(seen)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _describe_steps(steps: Sequence[int]) -> str:
    if len(steps) <= FEW:
        return f"steps of each policy: {', '.join(map(str, steps))}"
    return f"{sum(step > 0 for step in steps)} of {len(steps)} policies started"
