"""Sentences on a terminal."""

from collections.abc import Iterable
from textwrap import wrap

import typer

from sparring.cli.printable import printable
from sparring.cli.terminal import terminal_width

WIDTH = 80
"""Characters of a line of prose, at most."""


def show_paragraphs(lines: Iterable[str]) -> None:
    """Print each line in a paragraph no wider than a small terminal, or this one; no word, as a path is, is broken."""
    for line in lines:
        for part in wrap(
            printable(line),
            min(WIDTH, terminal_width()),
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            typer.echo(part)
