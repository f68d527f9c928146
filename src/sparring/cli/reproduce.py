"""`sparring reproduce`: try a published table, figure or theorem, and show what was measured beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.calculating import show_calculation
from sparring.cli.console import show_block, show_judgments, terminal_width
from sparring.cli.gathering import gathered
from sparring.cli.options import Gap, WorkerOptions
from sparring.cli.progress import following_sweep
from sparring.cli.sweep import RetryFailed, show_summary
from sparring.errors import ConfigError
from sparring.experiments.analysis.frames import frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.analysis.text_tables import as_text
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.reproductions import CALCULATIONS, PRESETS, find_preset
from sparring.experiments.reproductions.comparison import beside, judgments, lessons, reckoning
from sparring.experiments.reproductions.computed_claim import ComputedClaim
from sparring.experiments.reproductions.policy_trials import policies_of
from sparring.experiments.reproductions.preset import Preset, Scale, plan_of, shipped
from sparring.experiments.sweeps import Plan, sweep
from sparring.experiments.sweeps.sweep_folder import POLICIES
from sparring.registry import imported

FOLDER = Path("reproductions")
"""Where results go that are given no folder."""


@dataclass(frozen=True)
class Manner:
    """What is done again that was done before, and what counts as a difference."""

    retry_failed: RetryFailed = False
    train: Annotated[
        bool, typer.Option("--train", help="Train policies in place of playing those that come with Sparring.")
    ] = False
    gap: Gap = SMALLEST_GAP


@gathered
def command(
    name: Annotated[str, typer.Argument(metavar="ID", help=f"One of {', '.join((*PRESETS, *CALCULATIONS))}.")],
    crew: WorkerOptions,
    *,
    scale: Annotated[
        Scale, typer.Option(help="Seconds for a test, minutes on two cores, or the published settings.")
    ] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="The folder, which is gone on with; by default reproductions/ID-SCALE.")
    ] = None,
    manner: Manner,
) -> int:
    """Try a published table, figure or theorem: what was published, what is measured, and whether the claims hold.

    Example: sparring reproduce rla-fig3 --scale laptop
    """
    chosen = find_preset(name)
    folder = FOLDER / f"{chosen.id}-{scale}" if out is None else out
    if manner.train and (isinstance(chosen, ComputedClaim) or chosen.rehearsing is None):
        raise ConfigError(f"--train is given; {chosen.id} plays no learned attack, leave it out")
    if isinstance(chosen, ComputedClaim):
        show_calculation(chosen, scale, folder=folder)
        return 0
    return _play(chosen, scale, folder=folder, workers=crew.workers(), manner=manner)


def _play(chosen: Preset, scale: Scale, *, folder: Path, workers: Workers, manner: Manner) -> int:
    """Play the sweep of a preset, and print what it comes to."""
    known = None if manner.train else shipped(chosen, scale)
    place = str(folder / POLICIES) if known is None else known
    plan = plan_of(chosen, scale, policies=place)
    show_block(_introduced(chosen, scale, plan=plan))
    if chosen.rehearsing is not None and any(not policy.exists() for policy in _policies(plan)):
        # Whoever trains nothing does not wait for Stable-Baselines3.
        train = imported("sparring.cli.training:train")
        train(plan, partial(chosen.rehearsing, scale), folder=folder, workers=workers)
        plan = plan_of(chosen, scale, policies=place)  # runs are known by what the policies are
    with following_sweep(folder, workers.size) as observer:
        stands = sweep(plan, folder, workers=workers, observer=observer, retry_failed=manner.retry_failed)
    runs = frame(folder)
    tables = beside(chosen, scale, cells=[cell.labels for cell in plan.cells], runs=runs, gap=manner.gap)
    for table in chain(tables, lessons(plan.cells)):
        typer.echo(as_text(table, width=terminal_width()))
    show_judgments(judgments(chosen, scale, runs=runs, gap=manner.gap))
    show_summary(stands, folder, as_json=False)
    return 1 if stands.failures else 0


def _policies(plan: Plan) -> Iterable[Path]:
    """Yield the files of the learned attacks that are played."""
    return (policy for cell in plan.cells for policy in policies_of(cell.config))


def _introduced(chosen: Preset, scale: Scale, *, plan: Plan) -> Iterable[str]:
    """Say what is reproduced, in what it differs from the paper, and what the rules reckon with."""
    yield f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(plan.runs)} runs"
    for difference in chosen.differences[scale]:
        yield f"- {difference}"
    yield f"- {reckoning(plan)}"
