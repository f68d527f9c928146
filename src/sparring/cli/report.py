"""`sparring report`: what a sweep came to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.contrast_tables import show_contrast_table
from sparring.cli.heat_tables import show_heat_table
from sparring.cli.paragraphs import show_paragraphs
from sparring.cli.plugging import Plugins, loaded
from sparring.experiments import Catalogues
from sparring.experiments.files import write
from sparring.experiments.formats import as_csv, as_latex, grids, listing
from sparring.experiments.report.contrast_table import contrast_tables
from sparring.experiments.report.heat_table import further_metrics, heat_tables, metrics
from sparring.experiments.report.page import page
from sparring.experiments.report.panel import parts
from sparring.experiments.report.reading import read_study
from sparring.experiments.report.reproduced import reproduced
from sparring.experiments.report.study import Study
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, called_together
from sparring.experiments.tracking import track

LEGEND = "cells: mean, n runs (one a seed), 95 % interval of the mean; * best of column"
COMPARED = (
    "compared: mean difference over common seeds, its 95 % interval (bold: without zero, from three seeds on); d: that "
    "mean over the standard deviation of the differences; p: Wilcoxon's signed-rank test, from six seeds on, corrected "
    "after Holm for its table"
)
FURTHER = (
    "backdoor accuracy on average over the rounds, and with images of the target class: --html, --csv or --latex FILE"
)
SHOWN = 3
"""How many failures are printed; a page has all."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a sweep, or of a single run.")],
    *,
    html: Annotated[Path | None, typer.Option(help="Write one page that holds everything, pictures too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the cells of all tables, one a row.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the tables for a paper.")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the records of all runs for TensorBoard.")
    ] = None,
    plugins: Plugins = None,
) -> None:
    """Print the tables of a sweep: each cell's mean over seeds, its interval and its number of runs.

    Example: sparring report my-sweep --html report.html
    """
    study = read_study(folder, loaded(plugins))
    show_tables(study)
    show_paragraphs(_notes(study))
    for path, written in ((html, page), (csv, _csv), (latex, _latex)):
        if path is not None:
            write(path, written(study).encode())
            typer.echo(f"written: {path}")
    if tensorboard is not None:
        typer.echo(f"written: {tensorboard}, {track(folder, tensorboard)} runs")


def show_folder(folder: Path, catalogues: Catalogues) -> None:
    """Print the tables of what a folder holds."""
    show_tables(read_study(folder, catalogues))


def show_tables(study: Study) -> None:
    """Print the cells of all parts, and what they come to beside each other."""
    is_compared, legend = False, [LEGEND, FURTHER] if further_metrics(study) else [LEGEND]
    for title, part in parts(study):
        for table in heat_tables(part):
            show_heat_table(table, title)
        for contrast_table in contrast_tables(part):
            show_contrast_table(contrast_table, title)
            is_compared = True
    show_paragraphs([*legend, COMPARED] if is_compared else legend)


def _notes(study: Study) -> Iterator[str]:
    """Yield what became of the claims, and what the tables lack."""
    published = reproduced(study)
    yield from map(str, published.judgments if published else ())
    for failure in study.failures[:SHOWN]:
        yield f"failed: {called_together(failure.labels)}: {failure.error}"
    if len(study.failures) > SHOWN:
        yield f"failed: {len(study.failures) - SHOWN} more runs; --html FILE writes all errors"
    if study.missing:
        count = f"{len(study.missing)} of {len(study.cells)} runs"
        yield f"not complete: {count}; play the sweep again into the same folder"


def _csv(study: Study) -> str:
    return as_csv(study.frame, [metric.column for metric in (*metrics(study), *further_metrics(study))])


def _latex(study: Study) -> str:
    tables = [
        table
        for metric in (*metrics(study), *further_metrics(study))
        for table in (
            grids(study.frame, metric.column, rows=DEFENSE, columns=ATTACK)
            if study.is_grid
            else [listing(study.frame, metric.column)]
        )
    ]
    return "\n".join(map(as_latex, tables))
