"""Sections of a configuration: typed sections, and sections that name a member of a catalogue."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from sparring.errors import ConfigError, UnknownName
from sparring.registry import ALONE, Families, Table, build, checked, lookup, offer, to_section

Section = Mapping[str, Any]
"""A section of a document, such as a member of a catalogue: its name and its options."""

Settings = TypeVar("Settings")

NOTHING: Section = {}


def subsection(holder: Section, key: str) -> dict[str, Any]:
    """Return a nested section; a missing section and null count as empty."""
    section = holder.get(key)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{key} is {section!r}; it must be a section, as in {key}: {{name: value}}")
    return dict(section)


def member(holder: Section, key: str) -> dict[str, Any]:
    """Return a section that names a member of a catalogue; it may be given as the name alone, as in `defense: krum`."""
    name = holder.get(key)
    return {"name": name} if isinstance(name, str) else subsection(holder, key)


def refuse_unknown(label: str, given: Iterable[str], *, known: Collection[str]) -> None:
    """Reject unknown keys, and suggest the nearest known key."""
    for key in given:
        if key not in known:
            raise UnknownName(f"{label} has no key {key!r}{offer(key, known)}")


def parse_section(label: str, cls: type[Settings], section: Section) -> Settings:
    """Build the settings of a section without a name."""
    hints = get_type_hints(cls, include_extras=True)
    refuse_unknown(label, section, known=hints)
    for field in fields(cls):  # type: ignore[arg-type]  # every settings class is a dataclass
        if field.default is MISSING and field.name not in section:
            raise ConfigError(f"{label} lacks {field.name!r}; set {label}.{field.name}")
    return cls(**{key: checked(f"{label}.{key}", hints[key], value) for key, value in section.items()})


def fill_defaults(
    kind: str, table: Table, *, section: Section, families: Families = ALONE, facts: Mapping[str, object] = NOTHING
) -> dict[str, Any]:
    """Return all options of the member that `section` names, with defaults filled in.

    `facts` are provisional values for building the member; those that the section omits are not returned.
    """
    member = build(kind, table, section, families=families, **facts)
    described = to_section(member, (table, *families.values()))
    return {option: value for option, value in described.items() if option in section or option not in facts}


def split_member_options(
    kind: str, table: Table, *, section: Section, beside: Collection[str]
) -> tuple[Section, Section]:
    """Separate the options of the member that `section` names from the keys in `beside`."""
    cls = lookup(kind, table, section.get("name"))
    options = [field.name for field in fields(cls) if field.init]
    refuse_unknown(f"{kind} {section['name']!r}", section, known=["name", *options, *beside])
    member = {key: value for key, value in section.items() if key not in beside}
    return member, {key: value for key, value in section.items() if key in beside}
