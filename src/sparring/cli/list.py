"""`sparring list`: the names that a configuration can use, and the presets of `sparring reproduce`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from textwrap import TextWrapper
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparring.cli.console import WIDTH, printable, terminal_width
from sparring.cli.options import AsJson, Plugins, load_catalogues
from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, Entry, Option, entry_of, list_members
from sparring.experiments.config.renamed import accept_former_kind
from sparring.experiments.reproductions import TITLES
from sparring.kinds import KINDS as SECTIONS
from sparring.kinds import SYMBOLS
from sparring.registry import normalize_name, offer

PRESETS_KIND = "presets"
KINDS = (*CATALOGUES, PRESETS_KIND)
LEAST_FOR_COLUMNS = 80
"""The terminal width from which names, descriptions and options are shown in columns."""
OPTIONS = 28
"""The width of the column of options."""
HEADING, INDENT = 12, 4
"""The indentation of the facts of a member, and of what is said about an option."""


def command(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND|NAME]", help=f"A name, or one of {', '.join(KINDS)}.")
    ] = None,
    name: Annotated[str | None, typer.Argument(help="A name of that kind.")] = None,
    *,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """List the names that a configuration can use and the presets to reproduce, or describe one with its options."""
    catalogues = load_catalogues(plugins)
    kind = accept_former_kind(kind) if kind else None
    if kind is not None and (name is not None or kind not in KINDS):
        place = (kind, name) if name is not None else _find(kind, catalogues)
        _describe(*place, catalogues, as_json=as_json)
        return
    shown = {each: _entries(each, catalogues) for each in ([kind] if kind else KINDS)}
    if as_json:
        typer.echo(json.dumps({each: [_plain(entry) for entry in entries] for each, entries in shown.items()}))
        return
    for each, entries in shown.items():
        _print_table(each, entries)


def _entries(kind: str, catalogues: Catalogues) -> tuple[Entry, ...]:
    """Return the members of a catalogue or the presets."""
    if kind in catalogues:
        return list_members(kind, catalogues)
    if kind != PRESETS_KIND:
        raise UnknownName(f"unknown kind {kind!r}{offer(kind, KINDS)}")
    return tuple(_preset(name) for name in TITLES)


def _preset(name: str) -> Entry:
    title, source = TITLES[name]
    return Entry(name, f"{title} ({source})", ())


def _names(kind: str, catalogues: Catalogues) -> Iterable[str]:
    return TITLES if kind == PRESETS_KIND else catalogues[kind]


def _find(word: str, catalogues: Catalogues) -> tuple[str, str]:
    """Return the kind and the name that a word names, or raise an error with suggestions."""
    found = [
        (kind, name)
        for kind in KINDS
        for name in _names(kind, catalogues)
        if normalize_name(name) == normalize_name(word)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        kinds = [kind for kind, _ in found]
        raise ConfigError(
            f"{word!r} is in {_join_words(kinds, 'and')}; say which, as in: sparring list {kinds[0]} {found[0][1]}"
        )
    names = dict.fromkeys(name for kind in KINDS for name in _names(kind, catalogues))
    nearest = get_close_matches(normalize_name(word), [*KINDS, *names])
    if not nearest or nearest[0] in KINDS:
        raise UnknownName(f"unknown kind {word!r}{offer(word, KINDS)}")
    raise UnknownName(f"unknown name {word!r}; did you mean {_join_words(list(map(repr, nearest)), 'or')}?")


def _join_words(words: Sequence[str], conjunction: str) -> str:
    """Write words as a list in a sentence."""
    return f" {conjunction} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _describe(kind: str, name: str, catalogues: Catalogues, *, as_json: bool) -> None:
    """Print one member: what it is, the facts that it states, and its options."""
    if kind not in KINDS:
        raise UnknownName(f"unknown kind {kind!r}{offer(kind, KINDS)}")
    known = {normalize_name(each): each for each in _names(kind, catalogues)}
    if normalize_name(name) not in known:
        raise UnknownName(f"unknown name {name!r} in {kind}{offer(name, known.values())}")
    name = known[normalize_name(name)]
    entry = _preset(name) if kind == PRESETS_KIND else entry_of(kind, name, catalogues)
    if as_json:
        typer.echo(json.dumps({"kind": kind, **_plain(entry)}))
        return
    _print_member(kind, entry, others=_aliases(kind, name, catalogues))


def _aliases(kind: str, name: str, catalogues: Catalogues) -> list[str]:
    """Return the other names of a member."""
    table = {} if kind == PRESETS_KIND else catalogues[kind]
    return [other for other, cls in table.items() if cls == table[name] and other != name]


def _print_member(kind: str, entry: Entry, *, others: Sequence[str]) -> None:
    section = SECTIONS[kind].section if kind in SECTIONS else ""
    facts = {
        "name": ", also ".join((entry.name, *others)),
        "kind": kind,
        "what it is": entry.description,
        "paper": entry.paper,
        "cost": f"{entry.cost} ({SYMBOLS})" if "O(" in entry.cost else entry.cost,
        "assumption": entry.assumption,
        "use": f"sparring reproduce {entry.name}" if kind == PRESETS_KIND else _setting(kind, entry.name),
    }
    for name, fact in facts.items():
        if fact:
            text = _wrap(fact, first=HEADING, indent=HEADING)
            typer.echo(typer.style(f"{name:<{HEADING}}", bold=True) + text.lstrip())
    for option in entry.options:
        allowed = f"Takes {_join_words(option.allowed, 'or')}." if option.allowed else ""
        heading = _wrap(f"{section}.{_option(option)}", first=0, indent=2 * INDENT)
        typer.echo(typer.style(f"\n{heading}", bold=True))
        for line in filter(None, (option.meaning, allowed)):
            typer.echo(_wrap(line, first=INDENT, indent=INDENT))


def _setting(kind: str, name: str) -> str:
    """Return the setting that names a member."""
    return f"{SECTIONS[kind].section}.name={name}" if kind in SECTIONS else f"execution.backend={name}"


def _wrap(text: str, *, first: int, indent: int) -> str:
    """Return a text wrapped to lines indented by `indent`; words such as paths are not broken."""
    lines = TextWrapper(min(WIDTH, terminal_width()), initial_indent=" " * first, subsequent_indent=" " * indent)
    lines.break_long_words = lines.break_on_hyphens = False
    return lines.fill(printable(text))


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
    return f"{option.name} (required)" if option.required else f"{option.name}={_format_value(option.default)}"


def _format_value(value: Any) -> str:
    """Write a value in the syntax of a configuration."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_format_value, value))}]"
    if isinstance(value, Mapping):
        said = (f"{key}: {_format_value(each)}" for key, each in value.items() if each is not None)
        return f"{{{', '.join(said)}}}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
