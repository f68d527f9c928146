"""`sparring reproduce`: play a published table or figure, and put what was measured beside what was published."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.crew import Crew
from sparring.cli.following_sweep import following_sweep
from sparring.cli.gathering import gathered
from sparring.cli.paragraphs import show_paragraphs
from sparring.cli.sweep import RetryFailed, show_summary
from sparring.experiments.claims import Judgment
from sparring.experiments.formats import as_text
from sparring.experiments.presets import PRESETS, Preset, Scale, plan_of, preset
from sparring.experiments.presets.reproduction import beside, judgments, reckoning
from sparring.experiments.report.evidence import evidence
from sparring.experiments.sweeps import Plan, sweep
from sparring.experiments.tables import frame

FOLDER = Path("reproductions")
"""Where sweeps go that are given no folder."""


@gathered
def command(
    name: Annotated[str, typer.Argument(metavar="ID", help=f"One of {', '.join(PRESETS)}.")],
    crew: Crew,
    *,
    scale: Annotated[
        Scale, typer.Option(help="Seconds for a test, minutes on two cores, or the published settings.")
    ] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="The sweep's folder, which is gone on with; by default reproductions/ID-SCALE.")
    ] = None,
    retry_failed: RetryFailed = False,
) -> int:
    """Play a published table or figure: what was published, what is measured, and whether the claims hold.

    Example: sparring reproduce rla-fig3 --scale laptop
    """
    chosen = preset(name)
    plan, workers = plan_of(chosen, scale), crew.workers()
    folder = FOLDER / f"{chosen.id}-{scale}" if out is None else out
    _show(_introduced(chosen, scale, plan=plan))
    with following_sweep(folder, workers.size) as observer:
        stands = sweep(plan, folder, workers=workers, observer=observer, retry_failed=retry_failed)
    runs = frame(folder)
    for table in beside(chosen, scale, cells=[cell.labels for cell in plan.cells], runs=runs):
        typer.echo(as_text(table))
    for judgment in judgments(chosen, scale, runs=runs):
        _show(_told(judgment))
    show_summary(stands, folder, as_json=False)
    return 1 if stands.failures else 0


def _introduced(chosen: Preset, scale: Scale, *, plan: Plan) -> Iterable[str]:
    """Say what is reproduced, in what it differs from the paper, and what the rules reckon with."""
    yield f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(plan.runs)} runs"
    for difference in chosen.differences[scale]:
        yield f"- {difference}"
    yield f"- {reckoning(plan)}"


def _told(judgment: Judgment) -> Iterable[str]:
    """Say what a claim comes to, and what of it is not as claimed."""
    yield str(judgment)
    for finding in judgment.findings:
        if finding.verdict != "holds":
            yield f"- {evidence(finding)}"


def _show(lines: Iterable[str]) -> None:
    """Print paragraphs, and an empty line."""
    show_paragraphs(lines)
    typer.echo()
