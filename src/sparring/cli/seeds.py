"""`sparring run --seeds`: one run with several seeds, as a small sweep."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.sweep import Manner, play_plan
from sparring.errors import ConfigError
from sparring.experiments import Catalogues, digest, parse_config
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.sweeps import plan_sweep

RUNS = Path("runs")
"""Where runs go that are given no folder."""
RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
MOST = 1000

Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds", metavar="FIRST..LAST", help="Play with each of these seeds, as in 0..4 or 0,2,5; show the means."
    ),
]


def play_seeds(
    document: Mapping[str, Any],
    seeds: str,
    *,
    out: Path | None,
    workers: Workers,
    manner: Manner,
    catalogues: Catalogues,
) -> int:
    """Play a run with several seeds, show what they came to together, and return the exit code."""
    if document.get("seed") is not None:
        raise ConfigError(f"seed is {document['seed']!r}, and --seeds is given; choose one")
    axes = {"seed": read_seeds(seeds)}
    folder = RUNS / f"{digest(parse_config(document, catalogues))[:12]}-seeds" if out is None else out
    plan = plan_sweep({"base": document, "axes": axes}, catalogues)
    return play_plan(plan, folder, workers=workers, manner=manner, catalogues=catalogues)


def read_seeds(text: str) -> list[int]:
    """Return the seeds that `0..4` or `0,2,5` stands for."""
    found = RANGE.fullmatch(text)
    if found:
        first, last = map(int, found.groups())
        seeds = list(range(first, min(last, first + MOST) + 1))
    else:
        seeds = [int(each) for each in text.split(",") if each.isascii() and each.isdigit()]
        if len(seeds) != text.count(",") + 1:
            seeds = []
    if not 2 <= len(set(seeds)) <= MOST:
        raise ConfigError(f"--seeds is {text!r}; write from two to {MOST} of them, as in 0..4 or 0,2,5")
    return list(dict.fromkeys(seeds))
