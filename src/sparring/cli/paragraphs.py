"""Sentences on a terminal."""

from collections.abc import Iterable
from textwrap import wrap

import typer

from sparring.cli.printable import printable

WIDTH = 80


def show_paragraphs(lines: Iterable[str]) -> None:
    """Print each line in a paragraph that is no wider than a small terminal; a word, such as a path, is not broken."""
    for line in lines:
        for part in wrap(
            printable(line), WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        ):
            typer.echo(part)
