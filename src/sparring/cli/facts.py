"""A few facts, one below the other."""

import os
from collections.abc import Mapping
from textwrap import wrap

import typer

from sparring.cli.printable import printable
from sparring.cli.terminal import terminal_width

LEAST = 30
"""Characters that a fact has beside its name, however narrow the terminal."""


def show_facts(facts: Mapping[str, str]) -> None:
    """Print each fact behind its name, on several lines if it must be; one with a path is not broken, to be copied."""
    width = max(map(len, facts)) + 2
    room = max(LEAST, terminal_width() - width)
    for name, fact in facts.items():
        text = printable(fact)
        lines = [text] if os.sep in text else wrap(text, room, break_long_words=False, break_on_hyphens=False)
        typer.echo(typer.style(f"{name:<{width}}", bold=True) + f"\n{' ' * width}".join(lines))
