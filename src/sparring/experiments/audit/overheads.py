"""What an audit's runs and stages cost beside their rounds, measured on this machine."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.runs.run import run

REPEATS = 2
"""A run is timed this many times, since other processes use the machine."""
MARGIN = 1.2
"""Workers start this much slower than measured, when all of them load data, too."""


class Overheads(NamedTuple):
    """Seconds beside the rounds: of a run, and of a stage for starting the workers."""

    run: float
    stage: float


CAREFUL = Overheads(0.4, 6.0)
"""Assumed where nothing is measured."""
LEAST = Overheads(0.05, 0.5)
"""What no machine stays below, approximately."""
LONG = 5.0
"""Seconds of a run beside which its overhead does not matter."""


def measure_overheads(workers: Workers, config: Config, catalogues: Catalogues, *, estimate: float) -> Overheads:
    """Return the overheads, from a start of all workers and complete runs of a configuration.

    `estimate` is the time of the run's rounds; a long run is not played for this.
    """
    began = perf_counter()
    for _ in workers.calls(_answer, range(workers.size)):
        pass
    stage = max(LEAST.stage, MARGIN * (perf_counter() - began))
    if estimate > LONG:
        return Overheads(CAREFUL.run, stage)
    seconds = min(_time_run(config, catalogues) for _ in range(REPEATS))
    return Overheads(max(LEAST.run, seconds - estimate), stage)


def _time_run(config: Config, catalogues: Catalogues) -> float:
    with TemporaryDirectory() as folder:
        began = perf_counter()
        run(config, Path(folder) / "run", catalogues=catalogues)
        return perf_counter() - began


def _answer(number: int) -> int:
    """Return the argument: a worker that answers has started."""
    return number
