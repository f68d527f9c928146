"""Tables of cells as text and CSV."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from math import isnan
from textwrap import wrap
from typing import NamedTuple

import pandas as pd

from sparring.errors import ConfigError
from sparring.experiments.analysis.frames import axes_of, summarize_cells
from sparring.experiments.analysis.statistics import Summary, format_summary, name_method


class Table(NamedTuple):
    """A table of text: a title, the names of the columns, and the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def make_listing(runs: pd.DataFrame, metric: str, *, digits: int = 3) -> Table:
    """Return a table with one row per cell and its complete summary."""
    rows = [(*labels, format_summary(cell, digits)) for labels, cell in summarize_cells(runs, metric).items()]
    return Table(_words(metric), (*axes_of(runs), _words(metric)), tuple(rows))


def make_grids(
    runs: pd.DataFrame, metric: str, *, rows: str = "attack", columns: str = "defense", digits: int = 3
) -> Iterator[Table]:
    """Yield a table of two axes for each combination of labels on the others."""
    axes = axes_of(runs)
    for axis in (rows, columns):
        if axis not in axes:
            raise ConfigError(f"{axis!r} is not an axis; use two of: {', '.join(axes)}")
    cells = summarize_cells(runs, metric)
    row, column = axes.index(rows), axes.index(columns)
    panels: dict[tuple[str, ...], dict[tuple[str, str], Summary]] = {}
    for labels, cell in cells.items():
        rest = tuple(label for index, label in enumerate(labels) if index not in (row, column))
        panels.setdefault(rest, {})[labels[row], labels[column]] = cell
    for rest, panel in panels.items():
        yield _make_grid(", ".join([_words(metric), *rest]), panel, corner=rows, digits=digits)


def as_text(table: Table, *, width: int | None = None) -> str:
    """Format a table for a terminal: in columns, or one row below the other if the columns exceed `width`."""
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if width is not None and sum(widths) + len("  ") * (len(widths) - 1) > width:
        return _stack_rows(table, width)
    text = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([table.title, text[0], "-" * max(map(len, text)), *text[1:]]) + "\n"


def _stack_rows(table: Table, width: int) -> str:
    """Format each cell on its own line after the name of its column, with an empty line between rows."""
    room = max(map(len, table.header)) + 2
    blocks = []
    for row in table.rows:
        cells = (wrap(cell, max(20, width - room)) or [""] for cell in row)
        lines = (
            f"{name:<{room}}" + f"\n{' ' * room}".join(cell) for name, cell in zip(table.header, cells, strict=True)
        )
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n".join(["\n".join(wrap(table.title, width)), *blocks]) + "\n"


def as_csv(runs: pd.DataFrame, metrics: Iterable[str]) -> str:
    """Return the summaries of metrics as CSV, one row per cell and metric; missing values are empty.

    The last column names the method of the interval: `t`, or `bootstrap` for the expanded percentile bootstrap.
    """
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*axes_of(runs), "metric", *Summary._fields, "interval"])
    for metric in metrics:
        for labels, cell in summarize_cells(runs, metric).items():
            numbers = ("" if value is None or isnan(value) else value for value in cell)
            writer.writerow([*labels, metric, *numbers, "" if cell.low is None else name_method(cell.n)])
    return file.getvalue()


def _make_grid(title: str, cells: Mapping[tuple[str, str], Summary], *, corner: str, digits: int) -> Table:
    rows, columns = (tuple(dict.fromkeys(labels)) for labels in zip(*cells, strict=True))
    body = [(row, *(_format_brief(cells.get((row, column)), digits) for column in columns)) for row in rows]
    return Table(f"{title}, {_describe_count(cells.values())}", (corner, *columns), tuple(body))


def _format_brief(cell: Summary | None, digits: int) -> str:
    """Format a summary as in `0.93 ± 0.01`; the table's title gives the number of seeds."""
    if cell is None:
        return "-"
    return format_summary(cell, digits) if cell.std is None else f"{cell.mean:.{digits}f} ± {cell.std:.{digits}f}"


def _describe_count(cells: Iterable[Summary]) -> str:
    """Describe the numbers of a table and their number of seeds."""
    counts = [cell.n for cell in cells]
    least, most = min(counts), max(counts)
    return "mean ± standard deviation over seeds, n = " + (f"{least}" if least == most else f"{least} to {most}")


def _words(metric: str) -> str:
    return metric.replace("_", " ")
