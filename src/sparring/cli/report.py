"""`sparring report`: the results of a sweep, a run or an audit."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.console import show_paragraphs
from sparring.cli.options import Gap
from sparring.cli.tables import show_paired_table, show_score_table
from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.analysis.text_tables import as_csv
from sparring.experiments.jobs.atomic_files import write
from sparring.experiments.report.figures import write_figures
from sparring.experiments.report.html_page import render_page
from sparring.experiments.report.latex import as_latex
from sparring.experiments.report.paired_tables import PairedTable, make_paired_tables, name_intervals
from sparring.experiments.report.panels import split_study
from sparring.experiments.report.score_tables import list_further_metrics, list_metrics, make_score_tables
from sparring.experiments.report.side_by_side import AUDIT
from sparring.experiments.report.study import Study, read_study
from sparring.experiments.report.threat_model import CLASSES, describe_threat_model
from sparring.experiments.reproductions.comparison import judge_reproduction
from sparring.experiments.sweeps.axes import join_labels
from sparring.experiments.sweeps.tensorboard import write_events

LEGEND = "cells: mean, n runs (one per seed), {interval} of the mean; * best of column"
COMPARED = (
    "paired differences: mean over common seeds and its {interval} (bold: the whole interval lies beyond {gap:g}, the "
    "smallest difference that counts; no difference: it lies within; undecided: neither, or fewer than three seeds); "
    "d: mean over standard deviation of the differences; p: Wilcoxon's signed-rank test from six seeds on, with Holm's "
    "correction within its table"
)
FURTHER = (
    "--html, --csv and --latex FILE also contain the backdoor accuracy averaged over rounds, including images of the "
    "target class, and over all images"
)
GOALS = ("untargeted", "backdoor")
"""The folders in that of an audit for both goals."""
ATTACKS = "attacks"
"""The sweep in an audit's folder that holds the measured runs."""
SHOWN = 3
"""Failures that are printed; the HTML page has all."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep, a run or an audit.")],
    *,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page with tables and figures.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the cells of all tables, one per row.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the tables in LaTeX.")] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write curves and tables as figures, in PDF and PNG.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the records of all runs for TensorBoard.")
    ] = None,
    gap: Gap = SMALLEST_GAP,
    plugins: Annotated[list[str] | None, typer.Option("--plugin", hidden=True)] = None,
) -> None:
    """Print the results of a sweep, a run or an audit: for each cell the mean, its interval and the number of runs.

    Example: sparring report my-sweep --html report.html
    """
    if is_joint(folder):
        _refuse_tables(folder, {"--csv": csv, "--latex": latex, "--figures": figures, "--tensorboard": tensorboard})
        import_module("sparring.cli.audit").show_joint(folder, gap=gap, html=html)
        return
    is_audit = (folder / AUDIT).exists()
    # The trainers that audits need are slow to import.
    audits = import_module("sparring.cli.audit") if is_audit else None
    if audits is not None:
        audits.show_audit(folder, gap=gap)
        typer.echo()
    runs = folder / ATTACKS if is_audit else folder
    study = read_study(runs, gap=gap)
    show_tables(study)
    show_paragraphs(_make_notes(study))
    for path, written in (
        (html, _render_page if audits is None else partial(audits.render_audit, folder)),
        (csv, _format_csv),
        (latex, as_latex),
    ):
        if path is not None:
            write(path, written(study).encode())
            typer.echo(f"written: {path}")
    if figures is not None:
        typer.echo(f"written: {figures}, {len(write_figures(study, figures))} files")
    if tensorboard is not None:
        typer.echo(f"written: {tensorboard}, {write_events(runs, tensorboard)} runs")


def is_joint(folder: Path) -> bool:
    """Return whether a folder holds audits for several goals."""
    return not (folder / AUDIT).exists() and any((folder / goal / AUDIT).exists() for goal in GOALS)


def _refuse_tables(folder: Path, asked: Mapping[str, Path | None]) -> None:
    """Reject files that exist for one audit alone."""
    for option, path in asked.items():
        if path is not None:
            raise ConfigError(f"{option} is given, and {folder} holds an audit for each goal; give {folder / GOALS[0]}")


def show_folder(folder: Path) -> None:
    """Print the tables of a folder."""
    show_tables(read_study(folder))


def show_tables(study: Study) -> None:
    """Print the scores and the paired differences of all parts."""
    compared: list[PairedTable] = []
    for title, part in split_study(study):
        for table in make_score_tables(part):
            show_score_table(table, title)
        for contrast_table in make_paired_tables(part):
            show_paired_table(contrast_table, title)
            compared.append(contrast_table)
    show_paragraphs(_make_legend(study, compared))


def _make_legend(study: Study, compared: Sequence[PairedTable]) -> Iterator[str]:
    yield LEGEND.format(interval=study.interval)
    if list_further_metrics(study):
        yield FURTHER
    if compared:
        yield COMPARED.format(interval=name_intervals(compared), gap=study.gap)


def _make_notes(study: Study) -> Iterator[str]:
    """Yield the class names, the judgments of claims, and the runs that failed or are missing."""
    published = judge_reproduction(study)
    yield from (
        f"classes: {words}" for fact in describe_threat_model(study) if fact.term == CLASSES for words in fact.words
    )
    yield from map(str, published.judgments if published else ())
    for failure in study.failures[:SHOWN]:
        yield f"failed: {join_labels(failure.labels)}: {failure.error}"
    if len(study.failures) > SHOWN:
        yield f"failed: {len(study.failures) - SHOWN} more runs; --html FILE writes all errors"
    if study.missing:
        count = f"{len(study.missing)} of {len(study.cells)} runs"
        yield f"not complete: {count}; repeat the sweep command with the same folder to resume it"


def _render_page(study: Study) -> str:
    return render_page(study, judge_reproduction(study))


def _format_csv(study: Study) -> str:
    return as_csv(study.frame, [metric.column for metric in (*list_metrics(study), *list_further_metrics(study))])
