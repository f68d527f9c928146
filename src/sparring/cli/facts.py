"""A few facts, one a line."""

from collections.abc import Mapping

import typer

from sparring.cli.printable import printable


def show_facts(facts: Mapping[str, str]) -> None:
    """Print each fact behind its name; a line is never broken, so that paths can be copied."""
    width = max(map(len, facts)) + 2
    for name, fact in facts.items():
        typer.echo(typer.style(f"{name:<{width}}", bold=True) + printable(fact))
