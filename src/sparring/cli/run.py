"""`sparring run`: play one run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sparring.cli import sweep
from sparring.cli.console import show_facts, show_outcome
from sparring.cli.gathering import gathered
from sparring.cli.options import OutputOptions, Plugins, Words, WorkerOptions, load_catalogues, read_words
from sparring.cli.progress import following, show_notice
from sparring.cli.seeds import RUNS, Seeds, play_seeds
from sparring.errors import ConfigError
from sparring.experiments import Catalogues, Config, digest, parse_config, run
from sparring.experiments.runs.cost import Forecast, describe_run, forecast
from sparring.experiments.runs.run import finished
from sparring.experiments.runs.run_folder import Existing
from sparring.experiments.sweeps.tensorboard import tracked
from sparring.training import keep_freed_memory


@dataclass(frozen=True)
class Manner:
    """How it is played, and what about a run that is there."""

    seeds: Seeds = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be played, its time and its memory.")] = (
        False
    )
    resumes: Annotated[
        list[bool] | None,
        typer.Option("--resume/--overwrite", help="Go on with the run that the folder holds, or replace it."),
    ] = None


@gathered
def command(
    words: Words = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; by default runs/ and the digest's first digits.")
    ] = None,
    *,
    output: OutputOptions,
    manner: Manner,
    crew: WorkerOptions,
    plugins: Plugins = None,
) -> int:
    """Play one run, as a configuration file and settings describe it; what they leave out has a default.

    Example: sparring run data=mnist attack=lmp attack.malicious=20 defense=krum federation.rounds=200
    """
    keep_freed_memory()
    existing, catalogues, document = _existing(manner.resumes or ()), load_catalogues(plugins), read_words(words or [])
    if manner.seeds is not None:
        if manner.resumes or output.tensorboard:
            raise ConfigError("--seeds is given; leave out --resume, --overwrite and --tensorboard")
        shown = sweep.Manner(dry_run=manner.dry_run, as_json=output.as_json)
        return play_seeds(document, manner.seeds, out=out, workers=crew.workers(), manner=shown, catalogues=catalogues)
    crew.refuse_alone()
    config = parse_config(document, catalogues)
    folder = RUNS / digest(config)[:12] if out is None else out
    if manner.dry_run:
        _tell(folder, config, plan=forecast(config, catalogues), as_json=output.as_json)
        return 0
    _play(config, folder, existing=existing, output=output, catalogues=catalogues)
    return 0


def _play(config: Config, folder: Path, *, existing: Existing, output: OutputOptions, catalogues: Catalogues) -> None:
    """Play a run, or say what it came to if it is there."""
    outcome = finished(config, folder) if existing == "refuse" else None
    if outcome is not None:
        show_notice(f"{folder} holds this run, complete; --overwrite plays it again")
    else:
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
        show_facts({**describe_run(config, plan), "run": str(folder)})
