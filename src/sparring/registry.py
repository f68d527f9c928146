"""Build the object that a named section of a configuration describes, or say precisely why it cannot be built."""

from collections import UserDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sparring.errors import ConfigError, UnknownName, blaming

Table = Mapping[str, type | str]
"""What a family offers: names, and the frozen dataclass of each, or `"module:Class"` where importing it is costly."""

Families = Mapping[type, Table]
"""The tables of other families that a member may hold one of, by the contract that such a field has as its type."""

STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)

ALONE: Families = {}

ADDED_LATER: Mapping[str, bool] = {"added_later": True}
"""The metadata of an option that is newer than results which are kept: a description leaves it out where it has its
default, so that these results keep their names."""
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
"""What other software calls what is known here by other words."""

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
"""What pydantic's kinds of error call for, in the words of a configuration."""


@dataclass(frozen=True)
class Stored:
    """Marks an option that names a file or a folder, as in `file: Annotated[str, Stored()]`.

    Runs are known by what is in there, and not by its name.
    """

    located: Callable[[str], Path] = Path
    """Says where that is which is written."""


class Imports(UserDict[str, Any]):
    """A table of what is imported when it is asked for: a member that is written as `"module:name"` is that."""

    def __getitem__(self, key: str) -> Any:
        entry = self.data[key]
        return imported(entry) if isinstance(entry, str) else entry


def imported(path: str) -> Any:
    """Return what `"module:name"` stands for. Here alone, and not above, is imported what costs much and few need."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def spelled(word: object) -> str:
    """Return a word as tables spell it: in small letters, with underscores."""
    return str(word).lower().replace("-", "_")


def nearest(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean '...'?` for the known word that means the same or is most like `word`, or nothing."""
    words = {spelled(each): each for each in known}
    alike = [each for each in ELSEWHERE.get(spelled(word), ()) if each in words]
    matches = alike or get_close_matches(spelled(word), list(words), n=1)
    return f"; did you mean {words[matches[0]]!r}?" if matches else ""


def offer(word: object, known: Iterable[str]) -> str:
    """Return what to write instead of `word`: the known word most like it, or else all that are known."""
    words = list(known)
    return nearest(word, words) or (f"; known: {', '.join(map(str, words))}" if words else "")


def lookup(kind: str, table: Table, name: object) -> type:
    """Return the class called `name`; capitals count as small letters, and hyphens as underscores."""
    if not isinstance(name, str):
        given = "missing" if name is None else repr(name)
        raise ConfigError(f"{kind}.name is {given}; it must be one of: {', '.join(table)}")
    entry = table.get(name, table.get(spelled(name)))
    if entry is None:
        raise UnknownName(f"unknown {kind} {name!r}{offer(name, table)}")
    found: type = imported(entry) if isinstance(entry, str) else entry
    return found


def build(
    kind: str, table: Table, section: Mapping[str, Any] | str, *, families: Families = ALONE, **facts: object
) -> Any:
    """Build the object that `section` names; `facts` fill the fields of their name that it leaves out, at any depth.

    A section within it names a member of the same table, unless `families` has one for the field's contract. A name
    alone stands for a section of nothing else.
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
    for field in _required(cls):
        if field not in values:
            raise ConfigError(f"{kind} {name!r} lacks {field!r}; set {kind}.{field}")
    with blaming(f"{kind} {name!r}"):
        return cls(**values)


def described_options(member: Any) -> dict[str, Any]:
    """Return the options that a description of a member names; those that were added later only where they are set."""
    options = {field.name: (getattr(member, field.name), field) for field in fields(member) if field.init}
    return {
        name: value
        for name, (value, field) in options.items()
        if not (ADDED_LATER.items() <= field.metadata.items() and value == field.default)
    }


def opened(kind: str, section: object) -> dict[str, Any]:
    """Return what a section with a name holds; its name alone stands for it."""
    if isinstance(section, str):
        return {"name": section}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{kind} is {section!r}; it must be a section with a name")
    return dict(section)


def stored(table: Table, section: Mapping[str, Any], *, families: Families = ALONE) -> Iterator[tuple[str, Path]]:
    """Yield what a section names that is `Stored`, at any depth: as it is written, and where that is."""
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
    """Say whether a field holds another player: its type is then a contract."""
    return getattr(hint, "_is_protocol", False)


def checked(label: str, hint: Any, value: object) -> Any:
    """Return `value` as the type that a field wants, or say what would do."""
    plain = tuple(value) if isinstance(value, list) else value
    try:
        return TypeAdapter(hint, config=STRICT).validate_python(plain)
    except ValidationError as error:
        wanted = (WORDS.get(each["type"], each["msg"].removeprefix("Input should be ")) for each in error.errors())
        remedy = " or ".join(dict.fromkeys(wanted))
        if WORDS["int_type"] in remedy and isinstance(value, float) and value.is_integer():
            remedy += f", as in {value:.0f}"
        raise ConfigError(f"{label} is {value!r}; it must be {remedy}") from None


def _required(cls: type) -> list[str]:
    return [
        field.name
        for field in fields(cls)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    ]
