"""`sparring reproduce`: reproduce a published table, figure or theorem, and compare it with the published values."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.console import show_block, show_facts, terminal_width
from sparring.cli.options import Gap, Jobs, Ray, choose_workers
from sparring.cli.progress import show_progress
from sparring.cli.stages import ConsoleFollower
from sparring.cli.sweep import RetryFailed, show_summary
from sparring.errors import ConfigError
from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.evidence import describe_finding
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.analysis.text_tables import as_text
from sparring.experiments.reproductions import CALCULATIONS, PRESETS, find_preset
from sparring.experiments.reproductions.comparison import describe_assumption
from sparring.experiments.reproductions.computed_claim import NAME, ComputedClaim, Part, compute
from sparring.experiments.reproductions.preset import Preset, Scale
from sparring.experiments.reproductions.reproduce import (
    ReproductionOptions,
    plan_reproduction,
    refuse_training,
    reproduce,
)
from sparring.experiments.sweeps import Plan

FOLDER = Path("reproductions")
"""The default parent folder of reproductions."""


def command(
    name: Annotated[str, typer.Argument(metavar="ID", help=f"One of {', '.join((*PRESETS, *CALCULATIONS))}.")],
    *,
    scale: Annotated[
        Scale, typer.Option(help="smoke: seconds, a test; laptop: minutes on two cores; paper: the published settings.")
    ] = "laptop",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; an interrupted reproduction there resumes. Default: reproductions/ID-SCALE."
        ),
    ] = None,
    retry_failed: RetryFailed = False,
    train: Annotated[
        bool, typer.Option("--train", help="Train the policies instead of using the pre-trained ones.")
    ] = False,
    gap: Gap = SMALLEST_GAP,
    jobs: Jobs = None,
    ray: Ray = None,
) -> int:
    """Reproduce a published table, figure or theorem, and judge whether the paper's claims hold.

    Example: sparring reproduce rla-fig3 --scale laptop
    """
    chosen = find_preset(name)
    folder = FOLDER / f"{chosen.id}-{scale}" if out is None else out
    if isinstance(chosen, ComputedClaim):
        if train:
            raise ConfigError(f"--train is given; {chosen.id} has no learned attack, leave the option out")
        show_calculation(chosen, scale, folder=folder)
        return 0
    refuse_training(chosen, train=train)
    workers = choose_workers(jobs, ray)
    show_block(_introduce(chosen, scale, plan=plan_reproduction(chosen, scale, folder=folder, train=train)))
    done = reproduce(
        chosen,
        scale,
        folder=folder,
        workers=workers,
        follower=ConsoleFollower(),
        options=ReproductionOptions(train, retry_failed, gap),
    )
    for table in done.tables:
        typer.echo(as_text(table, width=terminal_width()))
    show_judgments(done.judgments)
    show_summary(done.summary, folder, as_json=False)
    return 1 if done.summary.failures else 0


def show_calculation(chosen: ComputedClaim, scale: Scale, *, folder: Path) -> None:
    """Compute the missing parts of a calculation, and print all results."""
    parts = chosen.parts(scale)
    title = f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(parts)} parts"
    show_block([title, *(f"- {difference}" for difference in chosen.differences[scale])])
    with show_progress("part", len(parts)) as shown:

        def tell(done: int, part: Part) -> None:
            shown.show(done, ", ".join(f"{label} {value}" for label, value in part.items()))

        rows = compute(chosen, scale, folder=folder, tell=tell)
    for table in chosen.tables(rows):
        typer.echo(as_text(table, width=terminal_width()))
    show_judgments(chosen.judge(scale, rows))
    show_facts({"numbers": str(folder / NAME)})


def _introduce(chosen: Preset, scale: Scale, *, plan: Plan) -> Iterable[str]:
    """Yield what is reproduced, how it differs from the paper, and what the rules assume."""
    yield f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(plan.runs)} runs"
    for difference in chosen.differences[scale]:
        yield f"- {difference}"
    assumption = describe_assumption(plan)
    if assumption:
        yield f"- {assumption}"


def show_judgments(judgments: Iterable[Judgment]) -> None:
    """Print the judgment of each claim, and the evidence against it."""
    for judgment in judgments:
        show_block(_describe_judgment(judgment))


def _describe_judgment(judgment: Judgment) -> Iterable[str]:
    yield str(judgment)
    for finding in judgment.findings:
        if finding.verdict != "holds":
            yield f"- {describe_finding(finding)}"
