"""How far something is: a bar with the time that is left on a terminal, plain lines elsewhere; always on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

LINES = 20
"""How many plain lines there are at most, or a few more."""


class Bar:
    """A bar, and the latest news beside it."""

    def __init__(self, progress: Progress, unit: str, *, total: int) -> None:
        self.progress = progress
        self.task = progress.add_task("", unit=unit, total=total)

    def expect(self, total: int) -> None:
        """Start anew, with so many units."""
        self.progress.reset(self.task, total=total)

    def show(self, done: int, news: str | None) -> None:
        """Move the bar; without news the last ones stay."""
        self.progress.update(self.task, completed=done)
        if news is not None:
            self.progress.update(self.task, description=news)


class Lines:
    """A line of news now and then."""

    def __init__(self, unit: str, total: int) -> None:
        self.unit, self.total = unit, total
        self.due = 0.0

    def expect(self, total: int) -> None:
        """Start anew, with so many units."""
        self.total, self.due = total, 0.0

    def show(self, done: int, news: str | None) -> None:
        """Write a line if there is news and the last line was some time ago."""
        if news is not None and (done >= self.due or done == self.total):
            self.due = done + self.total / LINES
            typer.echo(f"{self.unit} {done}/{self.total}: {news}", err=True)


@contextmanager
def progress(unit: str, total: int) -> Iterator[Bar | Lines]:
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
        # What does not fit beside the other columns goes on below itself, and takes no place of theirs.
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, overflow="fold")),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as shown:
        yield Bar(shown, unit, total=total)
