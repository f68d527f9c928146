"""`--json` and `--tensorboard`: where the results of a run go besides its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True)
class Output:
    """How a run is shown."""

    as_json: AsJson = False
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Let TensorBoard follow the run: it shows what is in there.")
    ] = None
