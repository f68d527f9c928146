"""How a sweep is followed on the command line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sparring.cli.following import show_notice
from sparring.cli.interruption import Request, stop_request
from sparring.cli.progress import Bar, Lines, progress
from sparring.experiments.jobs.job import Failed, stop_file
from sparring.experiments.sweeps import Cell, Ending, Played, SweepObserver
from sparring.experiments.sweeps.axes import called_together


class Display:
    """Shows how many runs have ended, how many go on, and how many failed."""

    def __init__(self, shown: Bar | Lines, request: Request, *, size: int) -> None:
        self.shown, self.request, self.size = shown, request, size
        self.total, self.done, self.failed = 0, 0, 0

    def expect(self, runs: int) -> None:
        """Start with so many runs; from now on a signal waits for the rounds that are being played."""
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
            show_notice(f"{called(cell.labels)} failed: {ending.error}")
        for notice in ending.notices if isinstance(ending, Played) else ():
            show_notice(notice)
        self._show(_news(cell, ending))

    def _show(self, news: str) -> None:
        running = min(self.size, self.total - self.done)
        self.shown.show(self.done, f"{running} running, {self.failed} failed; {news}")


@contextmanager
def following_sweep(folder: Path, size: int) -> Iterator[SweepObserver]:
    """Yield an observer of a sweep that plays `size` runs at a time; a signal asks these to stop."""
    with stop_request(stop_file(folder).touch) as request, progress("run", 0) as shown:
        display = Display(shown, request, size=size)
        yield SweepObserver(expect=display.expect, ended=display.end, notice=show_notice)


def called(labels: Mapping[str, str]) -> str:
    """Name a cell; a sweep without axes has only one."""
    return called_together(labels) or "the run"


def _news(cell: Cell, ending: Ending) -> str:
    how = f"accuracy {ending.result['accuracy']:.3f}" if isinstance(ending, Played) else type(ending).__name__.lower()
    return f"{called(cell.labels)}: {how}"
