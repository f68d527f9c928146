"""Tables of paired comparisons on a terminal."""

from rich.text import Text

from sparring.cli.wide_table import show_wide_table
from sparring.experiments.report.paired_tables import Difference, PairedTable

WIDTH = 16
"""Characters of a cell."""


def show_contrast_table(table: PairedTable, title: str) -> None:
    """Print a table; what speaks for one side is bold."""
    cells = {(row, column): _cell(table.cells.get((row, column))) for row in table.rows for column in table.columns}
    show_wide_table(": ".join(filter(None, (title, table.title))), cells, corner=table.corner, width=WIDTH)


def _cell(difference: Difference | None) -> Text:
    if difference is None:
        return Text("not known")
    return Text("\n".join(difference.told), style="bold" if difference.winner else "")
