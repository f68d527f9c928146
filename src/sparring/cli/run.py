"""`sparring run`: play one run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.document_of import Words, document_of
from sparring.cli.facts import show_facts
from sparring.cli.following import following
from sparring.cli.gathering import gathered
from sparring.cli.outcome import show_outcome
from sparring.cli.output import Output
from sparring.cli.plugging import Plugins, loaded
from sparring.errors import ConfigError
from sparring.experiments import Config, configure, digest, run
from sparring.experiments.forecast import Forecast, forecast
from sparring.experiments.store import Existing
from sparring.experiments.tracking import tracked
from sparring.experiments.words import told
from sparring.training import keep_freed_memory

RUNS = Path("runs")
"""Where runs go that are given no folder."""


@gathered
def command(
    words: Words = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; by default runs/ and the digest's first digits.")
    ] = None,
    *,
    output: Output,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be played, its time and its memory.")
    ] = False,
    resumes: Annotated[
        list[bool] | None,
        typer.Option("--resume/--overwrite", help="Go on with the run that the folder holds, or replace it."),
    ] = None,
    plugins: Plugins = None,
) -> None:
    """Play one run, as a configuration file and settings describe it; what they leave out has a default.

    Example: sparring run data.name=mnist attack.name=lmp attack.malicious=20 defense.name=krum federation.rounds=200
    """
    keep_freed_memory()
    existing, catalogues = _existing(resumes or ()), loaded(plugins)
    config = configure(document_of(words or []), catalogues)
    folder = RUNS / digest(config)[:12] if out is None else out
    if dry_run:
        _tell(folder, config, plan=forecast(config, catalogues), as_json=output.as_json)
        return
    with (
        following(config.federation.rounds) as shown,
        tracked(shown, folder, board=output.tensorboard) as observer,
    ):
        outcome = run(config, folder, existing=existing, observer=observer, catalogues=catalogues)
    show_outcome(outcome, as_json=output.as_json)


def _existing(resumes: Sequence[bool]) -> Existing:
    """Return what to do about a run that is there: true for each --resume, false for each --overwrite."""
    if len(set(resumes)) > 1:
        raise ConfigError("--resume and --overwrite are both given; choose one")
    if not resumes:
        return "refuse"
    return "resume" if resumes[0] else "overwrite"


def _tell(folder: Path, config: Config, *, plan: Forecast, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**plan._asdict(), "run": str(folder)}, allow_nan=False))
    else:
        show_facts({**told(config, plan), "run": str(folder)})
