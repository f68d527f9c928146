"""The reference of the configuration: every key of the schema, and every option of what has no page of its own."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from inspect import getdoc
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from sparring.experiments.config import parse
from sparring.experiments.config.meanings import option_meanings
from sparring.experiments.config.schema import SINCE, AttackerSettings, Config
from tools.site.members import Member, members
from tools.site.pages import options_table, prose, table

SECTIONS = {**parse.SECTIONS, "attacks": AttackerSettings}
"""The settings class of each section, as a configuration written in full calls it."""
DERIVED = "files"
"""The field of the configuration that is no key: it follows from the others."""
MEMBERS: Mapping[str, str] = {
    "data": "datasets",
    "data.partition": "partitions",
    "model": "models",
    "attacks": "attacks",
    "defense": "defenses",
    "post_training": "post-training",
    "execution.backend": "backends",
}
"""The keys that name a member of a catalogue."""
DEFAULTS: Mapping[str, Any] = {
    "data": parse.DATA["name"],
    "data.partition": parse.PARTITION["name"],
    "model": parse.MODEL["name"],
    "defense": parse.DEFENSE["name"],
    "post_training": parse.POST_TRAINING["name"],
}
HERE = ("datasets", "partitions", "models", "post-training", "backends")
"""The catalogues whose members are described on this page."""
ELSEWHERE = {"attacks": "../attacks/index.md", "defenses": "../rules/index.md"}
TITLES = {
    "datasets": "Data sets",
    "partitions": "Partitions",
    "models": "Models",
    "post-training": "Post-training defenses",
    "backends": "Backends",
}
WORDS = {bool: "true or false", int: "integer", float: "number", str: "text"}
BOUNDS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}
INTRODUCTION = """# Configuration keys

Every key of a configuration file. `KEY=VALUE` on the command line sets the same keys, as in `sparring run
federation.rounds=50`. A key that is left out has its default. `attack` is a section with the keys of `attacks`, which
is a list of such sections. The options of what a key *names*, such as those of a rule, are keys of the same section:
`defense.name=krum defense.malicious=2`. **Since** is the version in which a key began to matter.
"""


class Key(NamedTuple):
    """A key of a configuration, by its full name."""

    name: str
    type: str
    default: str
    meaning: str
    since: str


def list_keys() -> dict[str, list[Key]]:
    """Return all keys by their section; those outside of any are in a section of their own name."""
    found: dict[str, list[Key]] = {}
    hints, meanings = get_type_hints(Config, include_extras=True), option_meanings(Config)
    for each in fields(Config):
        if each.name in SECTIONS:
            found[each.name] = list(_section(each.name, SECTIONS[each.name]))
        elif each.name != DERIVED:
            found[each.name] = [_key(each.name, each, hint=hints[each.name], meaning=meanings.get(each.name, ""))]
    return found


def write_keys_page() -> str:
    """Return the page of all keys."""
    parts = [INTRODUCTION]
    for section, entries in list_keys().items():
        description = getdoc(SECTIONS[section]) if section in SECTIONS else ""
        rows = [(f"`{each.name}`", prose(each.meaning), each.type, each.default, each.since) for each in entries]
        parts += [
            f"## {section}",
            prose(description or ""),
            table(("key", "meaning", "type", "default", "since"), *rows),
        ]
    for kind in HERE:
        parts += [f"## {TITLES[kind]} {{ #{kind} }}", *map(_described, members(kind))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(section: str, settings: type) -> Iterator[Key]:
    hints, meanings = get_type_hints(settings, include_extras=True), option_meanings(settings)
    for each in fields(settings):
        name = f"{section}.name" if each.name == "member" else f"{section}.{each.name}"
        yield _key(name, each, hint=hints[each.name], meaning=meanings.get(each.name, ""))


def _key(name: str, field: Field[Any], *, hint: Any, meaning: str) -> Key:
    holder = name.removesuffix(".name")
    kind = MEMBERS.get(holder)
    named = _type(hint) if kind is None else f"the name of one of the {_linked(kind)}"
    default = DEFAULTS.get(holder, field.default)
    return Key(name, named, "must be given" if default is MISSING else _value(default), meaning, SINCE.get(name, ""))


def _linked(kind: str) -> str:
    return f"[{kind}]({ELSEWHERE.get(kind, f'#{kind}')})"


def _value(default: Any) -> str:
    return f"`{json.dumps(default)}`"


def _type(hint: Any) -> str:
    """Say in words what a value of this type is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(arguments[0], arguments[1:])
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if hint is NoneType:
        return "null"
    return WORDS[hint] if hint in WORDS else " or ".join(map(_type, arguments))


def _bounded(plain: Any, extras: tuple[Any, ...]) -> str:
    """Say the type with its bounds, which pydantic keeps in a list beside it."""
    bounds = [bound for extra in extras for bound in extra.metadata]
    limits = [f"{BOUNDS[type(bound)]} {getattr(bound, type(bound).__name__.lower()):,}" for bound in bounds]
    return f"{_type(plain)} {', '.join(limits)}"


def _described(member: Member) -> str:
    """Return what a member is, and its options."""
    names = ", ".join(f"`{name}`" for name in member.names)
    description = prose((getdoc(member.cls) or "").partition("\n\n")[0])
    return "\n\n".join(filter(None, [f"### {names}", description, options_table(member)]))
