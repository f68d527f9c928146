"""`sparring resume`: resume a run that was stopped."""

from pathlib import Path
from typing import Annotated

import typer

from sparring.cli.console import show_outcome
from sparring.cli.options import AsJson, Plugins, TensorBoard, load_catalogues
from sparring.cli.progress import follow_run
from sparring.experiments import resume
from sparring.experiments.sweeps.tensorboard import track_run
from sparring.training import keep_freed_memory


def command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run.")],
    *,
    as_json: AsJson = False,
    tensorboard: TensorBoard = None,
    plugins: Plugins = None,
) -> None:
    """Resume a run that was stopped; the results equal those of an uninterrupted run."""
    keep_freed_memory()
    catalogues = load_catalogues(plugins)
    with follow_run() as shown, track_run(shown, folder, board=tensorboard) as observer:
        outcome = resume(folder, observer=observer, catalogues=catalogues)
    show_outcome(outcome, as_json=as_json)
