"""`sparring demo`: a federation that learns digits, with and without attacks and defenses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sparring.cli.progress import handle_stop_signals, show_progress
from sparring.experiments.analysis.plots import Curve, draw_accuracy
from sparring.experiments.jobs.atomic_files import translate_os_errors
from sparring.experiments.reproductions.demo import ATTACKS, CELLS, RULES, DemoCell, run_cells, summarize

PICTURE = "accuracy.png"
BROKEN = 0.5
"""The accuracy below which a model is shown in red."""


def command(
    out: Annotated[Path, typer.Option(help="Folder for the picture.")] = Path("sparring-demo"),
) -> None:
    """Train federations on digits with several attacks and rules, and show the accuracies as a table and a picture."""
    with translate_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    curves = _run_cells()
    accuracies = {cell: curve[-1][1] for cell, curve in curves.items()}
    Console(highlight=False).print(_make_table(accuracies))
    typer.echo(summarize(accuracies))
    panels = {attack: {rule: curves[DemoCell(attack, rule)] for rule in RULES} for attack in ATTACKS}
    draw_accuracy(panels, out / PICTURE)
    typer.echo(f"picture: {out / PICTURE}")


def _run_cells() -> dict[DemoCell, Curve]:
    """Run all cells, and show the progress."""
    curves: dict[DemoCell, Curve] = {}
    with handle_stop_signals(), show_progress("run", len(CELLS)) as shown:
        for cell, curve in run_cells():
            curves[cell] = curve
            shown.show(len(curves), f"{cell.rule}, {cell.attack}: {curve[-1][1]:.1%}")
    return curves


def _make_table(accuracies: Mapping[DemoCell, float]) -> Table:
    table = Table(title="accuracy on digits after the last round", title_style="bold")
    table.add_column("rule")
    for attack in ATTACKS:
        table.add_column(attack, justify="right")
    for rule in RULES:
        table.add_row(rule, *(_shade(accuracies[DemoCell(attack, rule)]) for attack in ATTACKS))
    return table


def _shade(accuracy: float) -> Text:
    return Text(f"{accuracy:.1%}", style="red" if accuracy < BROKEN else "green")
