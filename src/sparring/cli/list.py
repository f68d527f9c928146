"""`sparring list`: the names that a configuration can use, and the presets of `sparring reproduce`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparring.cli.options import AsJson, Plugins, load_catalogues
from sparring.errors import UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Entry, Option, list_members
from sparring.experiments.reproductions import TITLES
from sparring.registry import offer

PRESETS_KIND = "presets"
KINDS = (*CATALOGUES, PRESETS_KIND)
LEAST_FOR_COLUMNS = 80
"""The terminal width from which names, descriptions and options are shown in columns."""
OPTIONS = 28
"""The width of the column of options."""


def command(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help=f"One of {', '.join(KINDS)}.")] = None,
    *,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """List the names that a configuration can use, with their options and defaults, and the presets to reproduce."""
    catalogues = load_catalogues(plugins)
    shown = {name: _entries(name, catalogues) for name in ([kind] if kind else KINDS)}
    if as_json:
        typer.echo(json.dumps({name: [_plain(entry) for entry in entries] for name, entries in shown.items()}))
        return
    for name, entries in shown.items():
        _print_table(name, entries)


def _entries(kind: str, catalogues: Catalogues) -> tuple[Entry, ...]:
    """Return the members of a catalogue or the presets."""
    if kind in catalogues:
        return list_members(kind, catalogues)
    if kind != PRESETS_KIND:
        raise UnknownName(f"unknown kind {kind!r}{offer(kind, KINDS)}")
    return tuple(Entry(name, f"{title} ({source})", ()) for name, (title, source) in TITLES.items())


def _plain(entry: Entry) -> dict[str, object]:
    return {**entry._asdict(), "options": [option._asdict() for option in entry.options]}


def _print_table(kind: str, entries: tuple[Entry, ...]) -> None:
    """Print the members of a kind in columns, or one below the other in a narrow terminal."""
    console = Console(highlight=False)
    if console.width < LEAST_FOR_COLUMNS:
        _print_stack(console, kind, entries=entries)
        return
    table = Table(title=kind, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("description", overflow="fold")
    table.add_column("options", min_width=OPTIONS, max_width=OPTIONS, overflow="fold")
    for entry in entries:
        table.add_row(entry.name, Text(entry.description), Text("\n".join(map(_option, entry.options))))
    console.print(table)


def _print_stack(console: Console, kind: str, *, entries: tuple[Entry, ...]) -> None:
    console.print(Text(kind, style="bold"))
    for entry in entries:
        console.print(Text(f"\n{entry.name}", overflow="fold"))
        for indent, line in ((2, entry.description), *((4, _option(option)) for option in entry.options)):
            console.print(Padding(Text(line, overflow="fold"), (0, 0, 0, indent)))
    console.print()


def _option(option: Option) -> str:
    return f"{option.name} (required)" if option.required else f"{option.name}={_written(option.default)}"


def _written(value: Any) -> str:
    """Write a value in the syntax of a configuration."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        said = (f"{key}: {_written(each)}" for key, each in value.items() if each is not None)
        return f"{{{', '.join(said)}}}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
