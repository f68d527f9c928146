"""`sparring run`: run one experiment."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_outcome
from sparring.cli.options import (
    AsJson,
    Jobs,
    Plugins,
    Ray,
    TensorBoard,
    Words,
    choose_workers,
    load_catalogues,
    read_words,
    refuse_workers,
)
from sparring.cli.progress import follow_run, show_notice
from sparring.cli.sweep import run_plan
from sparring.errors import ConfigError
from sparring.experiments import Catalogues, Outcome, digest, parse_config, run
from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.runs.cost import Forecast, describe_run, forecast_run
from sparring.experiments.runs.run import find_outcome
from sparring.experiments.runs.run_folder import Existing
from sparring.experiments.sweeps import Plan, plan_sweep
from sparring.experiments.sweeps.tensorboard import track_run
from sparring.training import keep_freed_memory

RUNS = Path("runs")
"""The default parent folder of runs."""
RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
MOST = 1000

Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds", metavar="FIRST..LAST", help="Run with each of these seeds, as in 0..4 or 0,2,5, and show the means."
    ),
]


def command(
    words: Words = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. Default: runs/DIGEST.")] = None,
    *,
    as_json: AsJson = False,
    tensorboard: TensorBoard = None,
    seeds: Seeds = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Describe the run, its time and its memory, without running it.")
    ] = (False),
    resumes: Annotated[
        list[bool] | None,
        typer.Option("--resume/--overwrite", help="Resume or replace the run in the folder."),
    ] = None,
    jobs: Jobs = None,
    ray: Ray = None,
    plugins: Plugins = None,
) -> int:
    """Run one experiment, described by a configuration file and settings; everything else has a default.

    Example: sparring run data=mnist attack=lmp attack.malicious=20 defense=krum federation.rounds=200
    """
    keep_freed_memory()
    existing, catalogues, document = _choose_existing(resumes or ()), load_catalogues(plugins), read_words(words or [])
    if seeds is not None:
        if resumes or tensorboard:
            raise ConfigError("--seeds is given; leave out --resume, --overwrite and --tensorboard")
        plan, folder = plan_seeds(document, seeds, out=out, catalogues=catalogues)
        workers = choose_workers(jobs, ray)
        return run_plan(plan, folder, workers=workers, catalogues=catalogues, dry_run=dry_run, as_json=as_json)
    refuse_workers(jobs, ray)
    config = parse_config(document, catalogues)
    folder = RUNS / digest(config)[:12] if out is None else out
    if dry_run:
        _show_forecast(folder, config, plan=forecast_run(config, catalogues, notice=show_notice), as_json=as_json)
        return 0
    outcome = _run_or_read(config, folder, existing=existing, tensorboard=tensorboard, catalogues=catalogues)
    show_outcome(outcome, as_json=as_json)
    return 0


def _run_or_read(
    config: AnyConfig, folder: Path, *, existing: Existing, tensorboard: Path | None, catalogues: Catalogues
) -> Outcome:
    """Execute a run, unless the folder holds it and it is complete."""
    outcome = find_outcome(config, folder) if existing == "refuse" else None
    if outcome is not None:
        show_notice(f"{folder} holds this run, and it is complete; --overwrite runs it again")
        return outcome
    with follow_run() as shown, track_run(shown, folder, board=tensorboard) as observer:
        return run(config, folder, existing=existing, observer=observer, catalogues=catalogues)


def _choose_existing(resumes: Sequence[bool]) -> Existing:
    """Return what to do with an existing run; `resumes` is true for each --resume and false for each --overwrite."""
    if len(set(resumes)) > 1:
        raise ConfigError("--resume and --overwrite are both given; choose one")
    if not resumes:
        return "refuse"
    return "resume" if resumes[0] else "overwrite"


def _show_forecast(folder: Path, config: AnyConfig, *, plan: Forecast, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**plan._asdict(), "run": str(folder)}, allow_nan=False))
    else:
        show_facts({**describe_run(config, plan), "run": str(folder)})


def plan_seeds(
    document: Mapping[str, Any], seeds: str, *, out: Path | None, catalogues: Catalogues
) -> tuple[Plan, Path]:
    """Return the plan of one run with several seeds, and its folder."""
    if document.get("seed") is not None:
        raise ConfigError(f"seed is {document['seed']!r}, and --seeds is given; choose one")
    axes = {"seed": read_seeds(seeds)}
    folder = RUNS / f"{digest(parse_config(document, catalogues))[:12]}-seeds" if out is None else out
    return plan_sweep({"base": document, "axes": axes}, catalogues), folder


def read_seeds(text: str) -> list[int]:
    """Parse seeds such as `0..4` or `0,2,5`."""
    found = RANGE.fullmatch(text)
    if found:
        first, last = map(int, found.groups())
        seeds = list(range(first, min(last, first + MOST) + 1))
    else:
        seeds = [int(each) for each in text.split(",") if each.isascii() and each.isdigit()]
        if len(seeds) != text.count(",") + 1:
            seeds = []
    if not 2 <= len(set(seeds)) <= MOST:
        raise ConfigError(f"--seeds is {text!r}; give from two to {MOST} seeds, as in 0..4 or 0,2,5")
    return list(dict.fromkeys(seeds))
