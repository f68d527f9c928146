"""How a published statement that is calculated is shown."""

from pathlib import Path

import typer

from sparring.cli.console import show_block, show_facts, show_judgments, terminal_width
from sparring.cli.progress import progress
from sparring.experiments.analysis.text_tables import as_text
from sparring.experiments.reproductions.computed_claim import NAME, ComputedClaim, Part, compute
from sparring.experiments.reproductions.preset import Scale


def show_calculation(chosen: ComputedClaim, scale: Scale, *, folder: Path) -> None:
    """Calculate what a folder does not hold yet, and print what everything comes to."""
    parts = chosen.parts(scale)
    show_block([_title(chosen, scale), *(f"- {difference}" for difference in chosen.differences[scale])])
    with progress("part", len(parts)) as shown:

        def tell(done: int, part: Part) -> None:
            shown.show(done, ", ".join(f"{label} {value}" for label, value in part.items()))

        rows = compute(chosen, scale, folder=folder, tell=tell)
    for table in chosen.tables(rows):
        typer.echo(as_text(table, width=terminal_width()))
    show_judgments(chosen.judge(scale, rows))
    show_facts({"numbers": str(folder / NAME)})


def _title(chosen: ComputedClaim, scale: Scale) -> str:
    return f"{chosen.id}: {chosen.title} ({chosen.source}), {scale} scale, {len(chosen.parts(scale))} parts"
