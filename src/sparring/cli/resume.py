"""`sparring resume`: go on with a run that was stopped."""

from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.console import show_outcome
from sparring.cli.gathering import gathered
from sparring.cli.options import OutputOptions, Plugins, load_catalogues
from sparring.cli.progress import following
from sparring.experiments import resume
from sparring.experiments.runs.manifest import read_manifest
from sparring.experiments.sweeps.tensorboard import tracked
from sparring.training import keep_freed_memory


@gathered
def command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    *,
    output: OutputOptions,
    plugins: Plugins = None,
) -> None:
    """Go on with a run that was stopped, to the results that it would have come to."""
    keep_freed_memory()
    catalogues = load_catalogues(plugins)
    rounds = read_manifest(folder, catalogues).config.federation.rounds
    with following(rounds) as shown, tracked(shown, folder, board=output.tensorboard) as observer:
        outcome = resume(folder, observer=observer, catalogues=catalogues)
    show_outcome(outcome, as_json=output.as_json)
