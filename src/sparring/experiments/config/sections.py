"""Sections of a configuration: typed ones, and ones that name a member of a catalogue."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from sparring.errors import ConfigError, UnknownName
from sparring.registry import ALONE, Families, Table, build, checked, described_options, lookup, offer

Section = Mapping[str, Any]
"""A member of a catalogue: its name, and every option that is not settled elsewhere."""

Settings = TypeVar("Settings")

NOTHING: Section = {}


def subsection(holder: Section, key: str) -> dict[str, Any]:
    """Return a section within another; a missing one, and one that holds nothing, is empty."""
    section = holder.get(key)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{key} is {section!r}; it must be a section, as in {key}: {{name: value}}")
    return dict(section)


def member(holder: Section, key: str) -> dict[str, Any]:
    """Return a section that names a member of a catalogue; its name alone stands for it, as in `defense: krum`."""
    name = holder.get(key)
    return {"name": name} if isinstance(name, str) else subsection(holder, key)


def refuse_unknown(label: str, given: Iterable[str], *, known: Collection[str]) -> None:
    """Refuse a key that is not known, and name the nearest one that is."""
    for key in given:
        if key not in known:
            raise UnknownName(f"{label} has no key {key!r}{offer(key, known)}")


def parse_section(label: str, cls: type[Settings], section: Section) -> Settings:
    """Build the settings that a section without a name holds."""
    hints = get_type_hints(cls, include_extras=True)
    refuse_unknown(label, section, known=hints)
    for field in fields(cls):  # type: ignore[arg-type]  # every class of settings is a dataclass
        if field.default is MISSING and field.name not in section:
            raise ConfigError(f"{label} lacks {field.name!r}; set {label}.{field.name}")
    return cls(**{key: checked(f"{label}.{key}", hints[key], value) for key, value in section.items()})


def fill_defaults(
    kind: str, table: Table, *, section: Section, families: Families = ALONE, facts: Mapping[str, object] = NOTHING
) -> dict[str, Any]:
    """Write out all options of the member that `section` names.

    One of `facts` that it leaves out stays out; the values of these are only to build it with.
    """
    member = build(kind, table, section, families=families, **facts)
    described = plain(member, (table, *families.values()))
    return {option: value for option, value in described.items() if option in section or option not in facts}


def split_member_options(
    kind: str, table: Table, *, section: Section, beside: Collection[str]
) -> tuple[Section, Section]:
    """Part the options of the member that `section` names from the keys that stand beside them."""
    cls = lookup(kind, table, section.get("name"))
    options = [field.name for field in fields(cls) if field.init]
    refuse_unknown(f"{kind} {section['name']!r}", section, known=["name", *options, *beside])
    member = {key: value for key, value in section.items() if key not in beside}
    return member, {key: value for key, value in section.items() if key in beside}


def plain(value: Any, tables: Sequence[Table]) -> Any:
    """Return the section that describes a member of one of the tables; other values as a document has them."""
    if isinstance(value, tuple):
        return [plain(each, tables) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    options = described_options(value)
    return {"name": _name(value, tables)} | {option: plain(each, tables) for option, each in options.items()}


def _name(member: object, tables: Sequence[Table]) -> str:
    """Return what the first table that has the member calls it: of several names, the shortest."""
    cls = type(member)
    path = f"{cls.__module__}:{cls.__qualname__}"
    names = ([name for name, entry in table.items() if entry in (cls, path)] for table in tables)
    return min(next(filter(None, names)), key=len)
