"""Build the object that a named configuration section describes, or report precisely why it cannot be built."""

from collections import UserDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sparring.errors import ConfigError, UnknownName, attribute_errors

Table = Mapping[str, type | str]
"""A family's members by name: the frozen dataclass of each, or `"module:Class"` where importing it is expensive."""

Families = Mapping[type, Table]
"""The tables of other families whose members can be nested, by the contract that the field has as its type."""

STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)

ALONE: Families = {}

ADDED_LATER: Mapping[str, bool] = {"added_later": True}
"""Field metadata of an option that is newer than existing results: a description omits it while it has its default
value, so that the digests of these results stay valid."""
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "aggregation": ("defense",),
    "aggregator": ("defense",),
    "architecture": ("model",),
    "attackers": ("malicious", "attacks"),
    "batch_size": ("batch",),
    "dataset": ("data",),
    "epochs": ("local_epochs", "local_steps"),
    "learning_rate": ("lr",),
    "local_epochs": ("local_steps",),
    "n_clients": ("clients",),
    "num_clients": ("clients",),
    "num_rounds": ("rounds",),
    "participants": ("sampled",),
    "rule": ("defense",),
    "server_learning_rate": ("server_lr",),
}
"""Option names of other software, with the names used here."""

WORDS = {
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "missing": "longer",
    "none_required": "null",
    "string_type": "text",
    "too_long": "shorter",
    "tuple_type": "a list",
}
"""pydantic's error types, with the expected value in the words of a configuration."""


@dataclass(frozen=True)
class Stored:
    """Marks an option that names a file or a folder, as in `file: Annotated[str, Stored()]`.

    A run's digest covers the contents of that file, not its name.
    """

    located: Callable[[str], Path] = Path
    """Converts the option's value to a path."""


class Imports(UserDict[str, Any]):
    """A table with lazy imports: an entry written as `"module:name"` is imported when it is looked up."""

    def __getitem__(self, key: str) -> Any:
        entry = self.data[key]
        return import_member(entry) if isinstance(entry, str) else entry


def import_member(path: str) -> Any:
    """Import and return `"module:name"`; only modules that are expensive and rarely needed are imported this way."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def normalize_name(word: object) -> str:
    """Return a word in the spelling of the tables: lower case, with underscores."""
    return str(word).lower().replace("-", "_")


def nearest(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean '...'?` for the known word that is synonymous with or closest to `word`, or nothing."""
    words = {normalize_name(each): each for each in known}
    alike = [each for each in ELSEWHERE.get(normalize_name(word), ()) if each in words]
    matches = alike or get_close_matches(normalize_name(word), list(words), n=1)
    return f"; did you mean {words[matches[0]]!r}?" if matches else ""


def offer(word: object, known: Iterable[str]) -> str:
    """Return what to write instead of `word`: the closest known word, or else all known words."""
    words = list(known)
    return nearest(word, words) or (f"; known: {', '.join(map(str, words))}" if words else "")


def lookup(kind: str, table: Table, name: object) -> type:
    """Return the class called `name`; case is ignored, and hyphens count as underscores."""
    if not isinstance(name, str):
        given = "missing" if name is None else repr(name)
        raise ConfigError(f"{kind}.name is {given}; it must be one of: {', '.join(table)}")
    entry = table.get(name, table.get(normalize_name(name)))
    if entry is None:
        raise UnknownName(f"unknown {kind} {name!r}{offer(name, table)}")
    found: type = import_member(entry) if isinstance(entry, str) else entry
    return found


def build(
    kind: str, table: Table, section: Mapping[str, Any] | str, *, families: Families = ALONE, **facts: object
) -> Any:
    """Build the object that `section` describes; `facts` fill omitted fields of the same name, at any depth.

    A nested section names a member of the same table, unless `families` has a table for the field's contract. A plain
    name stands for a section without options.
    """
    options = opened(kind, section)
    name = options.pop("name", None)
    cls = lookup(kind, table, name)
    hints = get_type_hints(cls)
    known = {field.name: hints[field.name] for field in fields(cls) if field.init}
    for option in options:
        if option not in known:
            raise UnknownName(f"{kind} {name!r} has no option {option!r}{nearest(option, known) or _list(known)}")
    values = {fact: value for fact, value in facts.items() if fact in known}
    for option, value in options.items():
        if _is_player(known[option]):
            nested = families.get(known[option], table)
            values[option] = build(f"{kind}.{option}", nested, value, families=families, **facts)
        else:
            values[option] = checked(f"{kind}.{option}", known[option], value)
    for field in _list_required(cls):
        if field not in values:
            raise ConfigError(f"{kind} {name!r} lacks {field!r}; set {kind}.{field}")
    with attribute_errors(f"{kind} {name!r}"):
        return cls(**values)


def described_options(member: Any) -> dict[str, Any]:
    """Return the options for a member's description; `ADDED_LATER` ones only if they differ from the default."""
    options = {field.name: (getattr(member, field.name), field) for field in fields(member) if field.init}
    return {
        name: value
        for name, (value, field) in options.items()
        if not (ADDED_LATER.items() <= field.metadata.items() and value == field.default)
    }


def to_section(value: Any, tables: Sequence[Table]) -> Any:
    """Return the section that describes a member of one of the tables, or another value in the form of a document."""
    if isinstance(value, tuple):
        return [to_section(each, tables) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    options = described_options(value)
    return {"name": _find_name(value, tables)} | {option: to_section(each, tables) for option, each in options.items()}


def _find_name(member: object, tables: Sequence[Table]) -> str:
    """Return the shortest name of a member in the first table that contains it."""
    cls = type(member)
    path = f"{cls.__module__}:{cls.__qualname__}"
    names = ([name for name, entry in table.items() if entry in (cls, path)] for table in tables)
    return min(next(filter(None, names)), key=len)


def opened(kind: str, section: object) -> dict[str, Any]:
    """Return a named section as a dictionary; a plain name stands for a section without options."""
    if isinstance(section, str):
        return {"name": section}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{kind} is {section!r}; it must be a section with a name")
    return dict(section)


def stored(table: Table, section: Mapping[str, Any], *, families: Families = ALONE) -> Iterator[tuple[str, Path]]:
    """Yield the `Stored` options of a section, at any depth: the value as written, and its path."""
    cls = lookup("member", table, section.get("name"))
    hints = get_type_hints(cls, include_extras=True)
    for option, value in section.items():
        hint = hints.get(option)
        if isinstance(value, Mapping):
            yield from stored(families.get(hint, table) if isinstance(hint, type) else table, value, families=families)
        elif isinstance(value, str):
            marks = (mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Stored))
            yield from ((value, mark.located(value)) for mark in marks)


def _list(known: Iterable[str]) -> str:
    options = ", ".join(known)
    return f"; its options: {options}" if options else "; it has none"


def _is_player(hint: object) -> bool:
    """Say whether a field holds another player, that is, whether its type is a contract."""
    return getattr(hint, "_is_protocol", False)


def checked(label: str, hint: Any, value: object) -> Any:
    """Return `value` converted to the field's type, or raise an error that says what would do."""
    plain = tuple(value) if isinstance(value, list) else value
    try:
        return TypeAdapter(hint, config=STRICT).validate_python(plain)
    except ValidationError as error:
        wanted = (WORDS.get(each["type"], each["msg"].removeprefix("Input should be ")) for each in error.errors())
        remedy = " or ".join(dict.fromkeys(wanted))
        if WORDS["int_type"] in remedy and isinstance(value, float) and value.is_integer():
            remedy += f", as in {value:.0f}"
        raise ConfigError(f"{label} is {value!r}; it must be {remedy}") from None


def _list_required(cls: type) -> list[str]:
    return [
        field.name
        for field in fields(cls)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    ]
