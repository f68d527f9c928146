"""LaTeX tables: means with intervals below, the best of each column in bold; they need booktabs."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from sparring.experiments.analysis.statistics import name_interval
from sparring.experiments.report.panels import split_study
from sparring.experiments.report.score_tables import (
    ScoreCell,
    ScoreTable,
    compute_regrets,
    make_further_tables,
    make_score_tables,
)
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import make_slug

ESCAPES: Mapping[str, str] = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "–": "--",
    "[": "{[}",
    "]": "{]}",
}
"""The characters with a special meaning in LaTeX, and their escapes."""
MOST_IN_A_COLUMN = 3
"""The maximum columns of numbers in a one-column table; wider tables span both columns of the page."""
LONG_NAME, LONG_HEADING = 22, 16
"""The lengths above which the name of a row and of a column wraps."""


def as_latex(study: Study) -> str:
    """Return the tables of a study, each with a caption and a label."""
    tables = [
        _format_table((study.name, title), table)
        for title, part in split_study(study)
        for table in (*make_score_tables(part), *make_further_tables(part))
    ]
    return "\n".join(["% in the preamble: \\usepackage{booktabs}", *tables])


def _format_table(names: tuple[str, str], table: ScoreTable) -> str:
    has_names = any(len(row) > LONG_NAME for row in table.rows)
    environment = "table" if len(table.columns) <= MOST_IN_A_COLUMN else "table*"
    head = [
        rf"\begin{{{environment}}}",
        r"  \centering",
        rf"  \caption{{{_escape(_make_caption(names[1], table))}}}",
        rf"  \label{{tab:{'-'.join(filter(None, map(make_slug, (*names, table.title))))}}}",
        r"  \small\setlength{\tabcolsep}{3pt}",
        rf"  \begin{{tabular}}{{@{{}}{'p{2.6cm}' if has_names else 'l'}{'c' * len(table.columns)}@{{}}}}",
    ]
    inside = [r"\toprule", _format_header(table), r"\midrule", *_format_rows(table), r"\bottomrule"]
    tail = [r"  \end{tabular}", rf"\end{{{environment}}}"]
    return "\n".join([*head, *(f"    {line}" for line in inside), *tail]) + "\n"


def _make_caption(title: str, table: ScoreTable) -> str:
    """Describe the numbers, the method of the intervals, and the number of seeds."""
    counts = [cell.summary.n for cell in table.cells.values() if cell.summary is not None]
    what = ": ".join(filter(None, (title, table.title)))
    if not counts:
        return f"{what}. No run is complete yet."
    least, most = min(counts), max(counts)
    seeds = f"n = {least}" if least == most else f"n = {least} to {most}"
    interval = f", and below it the {name_interval(counts)}" if most > 1 else ""
    best = "; bold: the best of a column" if _find_best(table) else ""
    return f"{what}. The mean over seeds ({seeds}){interval}{best}."


def _format_rows(table: ScoreTable) -> Iterator[str]:
    best = _find_best(table)
    for number, row in enumerate(table.rows, start=1):
        cells = {column: table.cells[row, column] for column in table.columns}
        shown = [_stack(_format_cell(cell, (row, column) in best), "t") for column, cell in cells.items()]
        name = rf"\raggedright {_escape(row)}" if len(row) > LONG_NAME else _escape(row)
        yield " & ".join([name, *shown]) + (r" \\ \addlinespace[3pt]" if number < len(table.rows) else r" \\")


def _find_best(table: ScoreTable) -> set[tuple[str, str]]:
    """Return the row and column of the best cell of each column, if there are at least two rows."""
    if not table.is_grid or len(table.rows) < 2:
        return set()
    return {cell for cell, regret in compute_regrets(table).items() if regret == 0}


def _format_cell(cell: ScoreCell, is_best: bool) -> list[str]:
    """Format the mean and, below it, the interval, and the number of runs if some are missing."""
    if cell.summary is None:
        return [rf"\emph{{{cell.absence}}}"]
    n, mean, _, low, high = cell.summary
    shown = rf"\textbf{{{mean:.3f}}}" if is_best else f"{mean:.3f}"
    below = [] if low is None else [f"[{low:.3f}, {high:.3f}]"]
    if n < cell.asked:
        below.append(f"n = {n}")
    return [shown, rf"{{\scriptsize {', '.join(below)}}}"] if below else [shown]


def _format_header(table: ScoreTable) -> str:
    columns = (_stack([*map(_escape, wrap(column, LONG_HEADING))], "b") for column in table.columns)
    return " & ".join([_escape(table.corner), *columns]) + r" \\"


def _stack(lines: Sequence[str], aligned: str) -> str:
    """Stack lines vertically, with the first or the last aligned with the rest of the row."""
    if len(lines) < 2:
        return "".join(lines)
    return rf"\begin{{tabular}}[{aligned}]{{@{{}}c@{{}}}}" + r"\\ ".join(lines) + r"\end{tabular}"


def _escape(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)
