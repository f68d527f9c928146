"""`--json`, `--tensorboard` and `--gap`: where results go besides a folder, and how they are shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Gap = Annotated[float, typer.Option(metavar="NUMBER", min=0, help="The smallest difference that counts.")]


@dataclass(frozen=True)
class Output:
    """How a run is shown."""

    as_json: AsJson = False
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Let TensorBoard follow the run: it shows what is in there.")
    ] = None
