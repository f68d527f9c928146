"""Print tables, split to fit a narrow terminal."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sparring.cli.console import printable
from sparring.experiments.analysis.equilibrium import GameEstimate
from sparring.experiments.analysis.statistics import Summary, format_value
from sparring.experiments.report.paired_tables import Difference, PairedTable
from sparring.experiments.report.score_tables import ScoreCell, ScoreTable, WorstCase, compute_regrets, find_worst_case

NAMES = 22
"""The maximum width of the first column."""

Cells = Mapping[tuple[str, str], Text]
"""Texts by row and column, in the order of display."""


def show_wide_table(heading: str, cells: Cells, *, corner: str, width: int, leading: int = 1) -> None:
    """Print a table with columns of fixed width, split into several parts if the terminal is too narrow.

    `leading` is the number of empty lines between rows.
    """
    console = Console(highlight=False)
    rows, columns = (tuple(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    console.print(Text(printable(heading), style="bold", overflow="fold"))
    for part in _split_columns(columns, room=max(1, (console.width - NAMES - 2) // (width + 1))):
        shown = _make_table(part, corner=corner, width=width, leading=leading)
        for row in rows:
            shown.add_row(Text(printable(row)), *(cells[row, column] for column in part))
        console.print(shown)
        console.print()


def _split_columns(columns: Sequence[str], *, room: int) -> Iterator[Sequence[str]]:
    """Split columns into as few parts of similar size as fit."""
    size = ceil(len(columns) / ceil(len(columns) / room))
    for first in range(0, len(columns), size):
        yield columns[first : first + size]


def _make_table(columns: Sequence[str], *, corner: str, width: int, leading: int) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False, leading=leading)
    table.add_column(Text(printable(corner)), max_width=NAMES, overflow="fold")
    for column in columns:
        table.add_column(Text(printable(column)), width=width, justify="right", overflow="fold")
    return table


SCORE_WIDTH = 12
"""The width of a cell."""
WORST = "worst case"


def show_score_table(table: ScoreTable, title: str) -> None:
    """Print a table of scores; a grid has an additional column with the worst case of each row."""
    behind = compute_regrets(table) if table.is_grid and len(table.rows) > 1 else {}
    cells: dict[tuple[str, str], Text] = {}
    for row in table.rows:
        cells |= {
            (row, column): _format_score(table.cells[row, column], behind.get((row, column)))
            for column in table.columns
        }
        if table.is_grid:
            cells[row, WORST] = _format_worst(find_worst_case(table, row))
    show_wide_table(": ".join(filter(None, (title, table.title))), cells, corner=table.corner, width=SCORE_WIDTH)


def _format_score(cell: ScoreCell, regret: float | None) -> Text:
    """Format the mean, with a star if it is the best of its column, the number of runs, and the interval."""
    if cell.summary is None:
        return Text(cell.absence)
    count = f"{cell.summary.n}/{cell.asked}" if cell.summary.n < cell.asked else f"{cell.summary.n}"
    value, interval = _format_summary(cell.summary)
    is_best = regret == 0
    mean = f"{value}{'*' if is_best else ''} n={count}"
    return Text(f"{mean}\n{interval}", style="bold" if is_best else "")


def _format_worst(found: WorstCase | None) -> Text:
    """Format the mean, the number of runs, and the column of the worst case."""
    if found is None or found.cell.summary is None:
        return Text("unknown")
    missing = f"\n{found.missing} missing" if found.missing else ""
    mean = f"{found.bound}{found.cell.summary.mean:.3f} n={found.cell.summary.n}"
    return Text(f"{mean}\n{printable(found.column)}{missing}")


SUMMARY_WIDTH, SIGNED_WIDTH, ESTIMATE_WIDTH = 11, 13, 15
"""The width of an interval, of one that may have negative ends, and of one in brackets."""


def show_ranking(heading: str, ranked: Mapping[str, Summary], *, corner: str) -> None:
    """Print the mean and the interval of each row, one line each."""
    cells: dict[tuple[str, str], Text] = {}
    for row, summary in ranked.items():
        mean, interval = _format_summary(summary)
        cells |= {(row, "mean"): Text(mean), (row, "interval"): Text(interval)}
    show_wide_table(heading, cells, corner=corner, width=SIGNED_WIDTH, leading=0)


def show_summaries(heading: str, rows: Mapping[str, Mapping[str, Summary | None]], *, corner: str) -> None:
    """Print the mean and the interval of each cell; a cell without a complete run has none."""
    cells = {
        (row, column): Text("failed" if summary is None else "\n".join(_format_summary(summary)))
        for row, columns in rows.items()
        for column, summary in columns.items()
    }
    show_wide_table(heading, cells, corner=corner, width=SUMMARY_WIDTH)


def show_estimates(heading: str, rows: Mapping[str, Mapping[str, GameEstimate]], *, corner: str) -> None:
    """Print each number above its interval, which few seeds do not have."""
    cells = {
        (row, column): Text("\n".join(format_value(*each).split(" ", 1)))
        for row, columns in rows.items()
        for column, each in columns.items()
    }
    show_wide_table(heading, cells, corner=corner, width=ESTIMATE_WIDTH, leading=0)


def _format_summary(summary: Summary) -> tuple[str, str]:
    interval = "no interval" if summary.low is None else f"{summary.low:.3f}–{summary.high:.3f}"
    return f"{summary.mean:.3f}", interval


PAIRED_WIDTH = 16
"""The width of a cell."""


def show_paired_table(table: PairedTable, title: str) -> None:
    """Print a table of paired differences; those that favor one side are bold."""
    cells = {
        (row, column): _format_difference(table.cells.get((row, column)))
        for row in table.rows
        for column in table.columns
    }
    show_wide_table(": ".join(filter(None, (title, table.title))), cells, corner=table.corner, width=PAIRED_WIDTH)


def _format_difference(difference: Difference | None) -> Text:
    if difference is None:
        return Text("unknown")
    return Text("\n".join(difference.lines), style="bold" if difference.winner else "")
