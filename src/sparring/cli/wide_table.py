"""Tables on a terminal that may be too narrow for them."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sparring.cli.printable import printable

NAMES = 22
"""Characters of the first column, at most."""

Cells = Mapping[tuple[str, str], Text]
"""What stands where, by row and column, in the order in which they are shown."""


def show_wide_table(heading: str, cells: Cells, *, corner: str, width: int) -> None:
    """Print a table with columns of a width, in several parts if the terminal is too narrow for all of them."""
    console = Console(highlight=False)
    rows, columns = (tuple(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    console.print(Text(printable(heading), style="bold", overflow="fold"))
    for part in _parts(columns, room=max(1, (console.width - NAMES - 2) // (width + 1))):
        shown = _headed(part, corner=corner, width=width)
        for row in rows:
            shown.add_row(Text(printable(row)), *(cells[row, column] for column in part))
        console.print(shown)
        console.print()


def _parts(columns: Sequence[str], *, room: int) -> Iterator[Sequence[str]]:
    """Yield as few parts as there is room for, about as large as each other."""
    size = ceil(len(columns) / ceil(len(columns) / room))
    for first in range(0, len(columns), size):
        yield columns[first : first + size]


def _headed(columns: Sequence[str], *, corner: str, width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=1)
    table.add_column(Text(printable(corner)), max_width=NAMES, overflow="fold")
    for column in columns:
        table.add_column(Text(printable(column)), width=width, justify="right", overflow="fold")
    return table
