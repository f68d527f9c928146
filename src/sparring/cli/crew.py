"""`--jobs` and `--ray`: who plays the runs of a sweep."""

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from sparring.errors import ConfigError
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import Workers
from sparring.integrations import integration


@dataclass(frozen=True)
class Crew:
    """Who plays the runs."""

    jobs: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Play so many runs at a time; by default one a core.")
    ] = None
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Play on the Ray cluster there; `local` starts one.")
    ] = None

    def refuse_alone(self) -> None:
        """Refuse to choose who plays a single run."""
        if self.jobs is not None or self.ray is not None:
            option = "--ray" if self.jobs is None else "--jobs"
            raise ConfigError(f"{option} is given, and one run is played by one process; use --seeds to play several")

    def workers(self) -> Workers:
        if self.ray is None:
            return LocalWorkers(self.jobs or len(os.sched_getaffinity(0)))
        if self.jobs is not None:
            raise ConfigError("--jobs and --ray are both given; choose one")
        workers: Workers = integration("ray")(self.ray)
        return workers
