"""Tables of cells on a terminal."""

from rich.text import Text

from sparring.cli.printable import printable
from sparring.cli.wide_table import show_wide_table
from sparring.experiments.report.score_tables import ScoreCell, ScoreTable, Worst, regrets, worst

WIDTH = 12
"""Characters of a cell."""
WORST = "worst case"


def show_heat_table(table: ScoreTable, title: str) -> None:
    """Print a table; that of a grid with the worst case of each row."""
    behind = regrets(table) if table.is_grid and len(table.rows) > 1 else {}
    cells: dict[tuple[str, str], Text] = {}
    for row in table.rows:
        cells |= {(row, column): _cell(table.cells[row, column], behind.get((row, column))) for column in table.columns}
        if table.is_grid:
            cells[row, WORST] = _worst(worst(table, row))
    show_wide_table(": ".join(filter(None, (title, table.title))), cells, corner=table.corner, width=WIDTH)


def _cell(cell: ScoreCell, regret: float | None) -> Text:
    """Write the mean, starred if no row of the column has a better one, the number of runs, and the interval."""
    if cell.summary is None:
        return Text(cell.absence)
    count = f"{cell.summary.n}/{cell.asked}" if cell.summary.n < cell.asked else f"{cell.summary.n}"
    interval = "no interval" if cell.summary.low is None else f"{cell.summary.low:.3f}–{cell.summary.high:.3f}"
    is_best = regret == 0
    mean = f"{cell.summary.mean:.3f}{'*' if is_best else ''} n={count}"
    return Text(f"{mean}\n{interval}", style="bold" if is_best else "")


def _worst(found: Worst | None) -> Text:
    """Write the mean, the number of runs, and whose it is."""
    if found is None or found.cell.summary is None:
        return Text("not known")
    missing = f"\n{found.missing} missing" if found.missing else ""
    mean = f"{found.bound}{found.cell.summary.mean:.3f} n={found.cell.summary.n}"
    return Text(f"{mean}\n{printable(found.column)}{missing}")
