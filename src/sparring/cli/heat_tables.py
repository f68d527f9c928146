"""Tables of cells on a terminal."""

from collections.abc import Sequence
from math import ceil

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sparring.cli.printable import printable
from sparring.experiments.report.heat_table import Cell, HeatTable, Worst, regrets, worst

NAMES, CELLS = 22, 12
"""Characters of the first column, at most, and of the others."""
WORST = "worst case"


def show_heat_table(table: HeatTable, title: str) -> None:
    """Print a table, in several parts if the terminal is too narrow for all columns."""
    console = Console(highlight=False)
    columns = [*table.columns, *([WORST] if table.is_grid else [])]
    room = max(1, (console.width - NAMES - 2) // (CELLS + 1))
    width = ceil(len(columns) / ceil(len(columns) / room))
    heading = ": ".join(filter(None, (title, table.title)))
    console.print(Text(printable(heading), style="bold"), soft_wrap=True)
    for first in range(0, len(columns), width):
        console.print(_part(table, columns[first : first + width]))
        console.print()


def _part(table: HeatTable, columns: Sequence[str]) -> Table:
    shown = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=1)
    shown.add_column(Text(printable(table.corner)), max_width=NAMES, overflow="fold")
    for column in columns:
        shown.add_column(Text(printable(column)), width=CELLS, justify="right", overflow="fold")
    behind = regrets(table) if table.is_grid and len(table.rows) > 1 else {}
    for row in table.rows:
        cells = (
            _worst(worst(table, row)) if column == WORST else _cell(table.cells[row, column], behind.get((row, column)))
            for column in columns
        )
        shown.add_row(Text(printable(row)), *cells)
    return shown


def _cell(cell: Cell, regret: float | None) -> Text:
    """Write the mean, starred if no row of the column has a better one, the number of runs, and the interval."""
    if cell.summary is None:
        return Text(cell.absence)
    count = f"{cell.summary.n}/{cell.asked}" if cell.summary.n < cell.asked else f"{cell.summary.n}"
    interval = "no interval" if cell.summary.low is None else f"{cell.summary.low:.3f}–{cell.summary.high:.3f}"
    is_best = regret == 0
    mean = f"{cell.summary.mean:.3f}{'*' if is_best else ''} n={count}"
    return Text(f"{mean}\n{interval}", style="bold" if is_best else "")


def _worst(found: Worst | None) -> Text:
    if found is None or found.cell.summary is None:
        return Text("not known")
    missing = f"\n{found.missing} missing" if found.missing else ""
    return Text(f"{found.bound}{found.cell.summary.mean:.3f}\n{printable(found.column)}{missing}")
