"""`sparring sweep`: run every combination of the values on the axes of a file."""

import json
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts
from sparring.cli.options import AsJson, Jobs, Plugins, Ray, choose_workers, load_catalogues
from sparring.cli.progress import follow_sweep, format_labels
from sparring.experiments import Catalogues, read_document
from sparring.experiments.config.describe import format_duration
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.runs.cost import forecast_run
from sparring.experiments.sweeps import (
    Plan,
    SweepSummary,
    list_missing,
    make_label,
    plan_sweep,
    run_folder,
    settle_plan,
    summarize_sweep,
    sweep,
)
from sparring.experiments.sweeps.plan import override_sweep
from sparring.experiments.sweeps.sweep_folder import FAILURES
from sparring.registry import import_member

SHOWN = 5
"""Failures that are printed; the sweep's folder has all."""

RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run again what failed before.")]


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A base configuration, and the axes along which it varies.")
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SECTION.KEY=VALUE]...", help="Settings that override the base."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder of the sweep; complete runs there are not repeated.")],
    jobs: Jobs = None,
    ray: Ray = None,
    retry_failed: RetryFailed = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Describe the runs and their time, without running them.")
    ] = False,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> int:
    """Run every combination of the values on the axes of a file, in parallel; the same command resumes the sweep.

    Example: sparring sweep grid.yaml --out grid --jobs 4
    """
    catalogues = load_catalogues(plugins)
    plan = plan_sweep(override_sweep(read_document(file), words or ()), catalogues)
    workers = choose_workers(jobs, ray)
    return run_plan(
        plan, out, workers=workers, catalogues=catalogues, retry_failed=retry_failed, dry_run=dry_run, as_json=as_json
    )


def run_plan(
    plan: Plan,
    folder: Path,
    *,
    workers: Workers,
    catalogues: Catalogues,
    retry_failed: bool = False,
    dry_run: bool = False,
    as_json: bool = False,
) -> int:
    """Execute the missing runs of a plan, show the results, and return the exit code."""
    if dry_run:
        _show_plan(plan, folder, size=workers.size, catalogues=catalogues, retry_failed=retry_failed, as_json=as_json)
        return 0
    with follow_sweep(folder, workers.size) as observer:
        stands = sweep(
            plan, folder, workers=workers, observer=observer, retry_failed=retry_failed, catalogues=catalogues
        )
    # Tables need pandas, which is slow to import; it is imported when the runs are complete.
    cells = import_member("sparring.experiments.analysis.frames:cell_accuracies")(folder) if as_json else []
    show_summary(stands, folder, as_json=as_json, cells=cells)
    if stands.complete and not as_json:
        typer.echo()
        import_member("sparring.cli.report:show_folder")(folder)  # pandas comes with it
        show_facts({"next": _suggest_report(folder)})
    return 1 if stands.failures else 0


def _suggest_report(folder: Path) -> str:
    """Return the command that writes the HTML page."""
    page = folder.with_name(f"{folder.name}.html") if folder.name else folder / "report.html"
    return f"sparring report {quote(str(folder))} --html {quote(str(page))}"


def show_summary(stands: SweepSummary, folder: Path, *, as_json: bool, cells: Sequence[Mapping[str, Any]] = ()) -> None:
    """Print the status of a sweep as one JSON object with the accuracies of its cells, or as a few lines."""
    if as_json:
        typer.echo(json.dumps({**_to_json(stands, folder), "cells": list(cells), "sweep": str(folder)}))
        return
    facts = {"runs": f"{stands.complete} of {stands.runs} complete", "sweep": str(folder)}
    if stands.failures:
        facts["failed"] = f"{len(stands.failures)}; --retry-failed runs them again"
        facts["errors"] = f"{folder / FAILURES}, with tracebacks"
    show_facts(facts)
    for failure in stands.failures[:SHOWN]:
        typer.echo(f"  {format_labels(failure.labels)}: {failure.error}")
    if stands.choices:
        typer.echo("chosen by the worst accuracy on validation examples:")
    for choice in stands.choices:
        typer.echo(
            f"  {format_labels(choice.labels)}: {make_label(choice.chosen)} ({choice.worst:.3f}, n = {choice.n})"
        )


def _to_json(stands: SweepSummary, folder: Path) -> dict[str, Any]:
    failures = [
        {"labels": each.labels, "error": each.error, "run": str(run_folder(folder, each.digest))}
        for each in stands.failures
    ]
    choices = [
        {"labels": each.labels, "chosen": each.chosen, "worst": each.worst, "n": each.n} for each in stands.choices
    ]
    counts = {"runs": stands.runs, "complete": stands.complete, "failed": len(failures)}
    return {**counts, "failures": failures, "choices": choices}


def _show_plan(
    plan: Plan, folder: Path, *, size: int, catalogues: Catalogues, retry_failed: bool, as_json: bool
) -> None:
    """Print the missing runs and a forecast, which assumes that every run takes as long as the first missing one."""
    plan = settle_plan(plan, folder, catalogues=catalogues)
    cells = (*plan.candidates, *plan.cells)
    due = list_missing(folder, cells, retry_failed=retry_failed)
    left = len(due) + plan.open
    seconds = forecast_run((*due, *cells)[0].config, catalogues).seconds * ceil(left / size) if left else 0.0
    stands = summarize_sweep(plan, folder)
    counts = {"complete": stands.complete, "failed": len(stands.failures), "due": len(due), "open": plan.open}
    if as_json:
        typer.echo(json.dumps({"runs": stands.runs, **counts, "seconds": seconds, "sweep": str(folder)}))
        return
    facts = {
        "axes": " x ".join(f"{len(labels)} {axis}" for axis, labels in plan.axes.items()) or "none",
        "runs": f"{stands.runs}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count),
        "time": f"about {format_duration(seconds)}, {size} at a time, if every run takes as long as the first",
        "sweep": str(folder),
    }
    show_facts(facts)
