"""`--plugin`: what a command line can name besides what comes with Sparring."""

from collections.abc import Sequence
from typing import Annotated

import typer

from sparring.cli.following import show_notice
from sparring.experiments import Catalogues, load_plugins

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="MODULE", help="Add the players of a Python module; may be given again."),
]


def loaded(plugins: Sequence[str] | None) -> Catalogues:
    """Return the catalogues with what these plug-ins, and those of installed packages, add."""
    return load_plugins(plugins or (), notice=show_notice)
