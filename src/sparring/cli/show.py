"""`sparring show`: compare runs."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from sparring.cli.console import printable, show_facts, terminal_width
from sparring.cli.options import AsJson
from sparring.cli.tables import show_wide_table
from sparring.experiments.report.side_by_side import (
    LEVELS,
    PLAIN_LEVELS,
    ShownRun,
    draw_sparkline,
    find_differences,
    list_facts_of_run,
    list_results,
    read_runs,
    runs_to_json,
)

WIDTH = 17
"""The width of a run's column."""
MOST_POINTS = 60
"""The maximum width of a curve."""


def command(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders of runs.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare runs: settings that differ, results, and accuracy over rounds. For a single run, show everything.

    Example: sparring show runs/first runs/second
    """
    runs = read_runs(folders)
    if as_json:
        typer.echo(json.dumps(runs_to_json(runs), allow_nan=False))
    elif len(runs) == 1:
        _show_one(runs[0])
    else:
        _show_several(runs)


def _show_one(run: ShownRun) -> None:
    """Print everything that a run's folder records."""
    accuracies = run.result.get("class_accuracy")
    classes = {"by class": ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)} if accuracies else {}
    facts = {**list_facts_of_run(run), **list_results(run), **classes, "run": str(run.folder)}
    show_facts({name: printable(fact) for name, fact in facts.items()})
    _show_curves([run])


def _show_several(runs: Sequence[ShownRun]) -> None:
    """Print tables with one column per run."""
    differing = find_differences(runs)
    if differing:
        heading = f"{len(differing)} {'setting differs' if len(differing) == 1 else 'settings differ'}"
        _show_table(heading, runs, rows=differing, corner="setting")
    else:
        typer.echo("no setting differs: the runs are equal")
        typer.echo()
    found = [list_results(run) for run in runs]
    names = dict.fromkeys(name for each in found for name in each)
    _show_table(
        "results", runs, rows={name: [each.get(name, "-") for each in found] for name in names}, corner="number"
    )
    _show_curves(runs)


def _show_table(heading: str, runs: Sequence[ShownRun], *, rows: Mapping[str, Sequence[str]], corner: str) -> None:
    cells = {
        (row, run.name): Text(printable(value))
        for row, values in rows.items()
        for run, value in zip(runs, values, strict=True)
    }
    show_wide_table(heading, cells, corner=corner, width=WIDTH)


def _show_curves(runs: Sequence[ShownRun]) -> None:
    """Print the accuracy of each run over its rounds, one line per run."""
    drawn = {run.name: run.curve for run in runs if run.curve}
    if not drawn:
        return
    levels = LEVELS if _can_print(LEVELS) else PLAIN_LEVELS
    typer.echo(f"accuracy over the rounds, {levels[0]} near 0 to {levels[-1]} near 1:")
    for name, curve in drawn.items():
        (first, start), (last, end) = curve[0], curve[-1]
        typer.echo(f"  {printable(name)}: {start:.3f} after round {first}, {end:.3f} after round {last}")
        typer.echo(f"  {draw_sparkline(curve, min(MOST_POINTS, terminal_width() - 4), levels=levels)}")


def _can_print(text: str) -> bool:
    """Return whether the output's encoding has the characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
