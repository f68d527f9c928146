"""`sparring reproduce`: try a published table, figure or theorem, and show what was measured beside it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.calculating import show_calculation
from sparring.cli.crew import Crew
from sparring.cli.following_sweep import following_sweep
from sparring.cli.gathering import gathered
from sparring.cli.judgments import show_block, show_judgments
from sparring.cli.sweep import RetryFailed, show_summary
from sparring.experiments.formats import as_text
from sparring.experiments.presets import CALCULATIONS, PRESETS, Calculation, Preset, Scale, plan_of, preset
from sparring.experiments.presets.reproduction import beside, judgments, reckoning
from sparring.experiments.sweeps import Plan, Workers, sweep
from sparring.experiments.tables import frame

FOLDER = Path("reproductions")
"""Where results go that are given no folder."""


@gathered
def command(
    name: Annotated[str, typer.Argument(metavar="ID", help=f"One of {', '.join((*PRESETS, *CALCULATIONS))}.")],
    crew: Crew,
    *,
    scale: Annotated[
        Scale, typer.Option(help="Seconds for a test, minutes on two cores, or the published settings.")
    ] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="The folder, which is gone on with; by default reproductions/ID-SCALE.")
    ] = None,
    retry_failed: RetryFailed = False,
) -> int:
    """Try a published table, figure or theorem: what was published, what is measured, and whether the claims hold.

    Example: sparring reproduce rla-fig3 --scale laptop
    """
    chosen = preset(name)
    folder = FOLDER / f"{chosen.id}-{scale}" if out is None else out
    if isinstance(chosen, Calculation):
        show_calculation(chosen, scale, folder=folder)
        return 0
    return _play(chosen, scale, folder=folder, workers=crew.workers(), retry_failed=retry_failed)


def _play(chosen: Preset, scale: Scale, *, folder: Path, workers: Workers, retry_failed: bool) -> int:
    """Play the sweep of a preset, and print what it comes to."""
    plan = plan_of(chosen, scale)
    show_block(_introduced(chosen, scale, plan=plan))
    with following_sweep(folder, workers.size) as observer:
        stands = sweep(plan, folder, workers=workers, observer=observer, retry_failed=retry_failed)
    runs = frame(folder)
    for table in beside(chosen, scale, cells=[cell.labels for cell in plan.cells], runs=runs):
        typer.echo(as_text(table))
    show_judgments(judgments(chosen, scale, runs=runs))
    show_summary(stands, folder, as_json=False)
    return 1 if stands.failures else 0


def _introduced(chosen: Preset, scale: Scale, *, plan: Plan) -> Iterable[str]:
    """Say what is reproduced, in what it differs from the paper, and what the rules reckon with."""
    yield f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(plan.runs)} runs"
    for difference in chosen.differences[scale]:
        yield f"- {difference}"
    yield f"- {reckoning(plan)}"
