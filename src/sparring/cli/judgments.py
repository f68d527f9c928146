"""What became of claims, on a terminal."""

from collections.abc import Iterable

import typer

from sparring.cli.paragraphs import show_paragraphs
from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.evidence import evidence


def show_judgments(judgments: Iterable[Judgment]) -> None:
    """Print what each claim comes to, and what of it is not as claimed."""
    for judgment in judgments:
        show_block(_told(judgment))


def show_block(lines: Iterable[str]) -> None:
    """Print paragraphs, and an empty line."""
    show_paragraphs(lines)
    typer.echo()


def _told(judgment: Judgment) -> Iterable[str]:
    yield str(judgment)
    for finding in judgment.findings:
        if finding.verdict != "holds":
            yield f"- {evidence(finding)}"
