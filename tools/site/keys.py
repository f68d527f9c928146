"""The reference of the configuration: every key of the schema, and every option of what has no page of its own."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from inspect import getdoc
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from sparring.experiments.config import parse, parse_central
from sparring.experiments.config.central_schema import CENTRAL_SINCE, CentralConfig
from sparring.experiments.config.meanings import option_meanings
from sparring.experiments.config.schema import SINCE, AttackerSettings, Config
from tools.site.members import Member, members
from tools.site.pages import options_table, prose, table


class Schema(NamedTuple):
    """What the keys of one kind of training follow from."""

    config: type
    sections: Mapping[str, type]
    """The settings class of each section, as a configuration written in full calls it."""
    members: Mapping[str, str]
    """The keys that name a member of a catalogue."""
    defaults: Mapping[str, Any]
    """The names that they have if they are left out."""
    since: Mapping[str, str]


DERIVED = "files"
"""The field of the configuration that is no key: it follows from the others."""
FEDERATED = Schema(
    Config,
    {**parse.SECTIONS, "attacks": AttackerSettings},
    {
        "data": "datasets",
        "data.partition": "partitions",
        "model": "models",
        "attacks": "attacks",
        "defense": "defenses",
        "post_training": "post-training",
        "execution.backend": "backends",
    },
    {
        "data": parse_central.DATA["name"],
        "data.partition": parse.PARTITION["name"],
        "model": parse.MODEL["name"],
        "defense": parse.DEFENSE["name"],
        "post_training": parse.POST_TRAINING["name"],
    },
    SINCE,
)
CENTRAL = Schema(
    CentralConfig,
    parse_central.CENTRAL_SECTIONS,
    {"data": "datasets", "model": "models", "attack": "perturbations", "defense": "purifications"},
    {
        "data": parse_central.DATA["name"],
        "model": parse_central.MODEL["name"],
        "attack": parse_central.NONE["name"],
        "defense": parse_central.NONE["name"],
    },
    CENTRAL_SINCE,
)
HERE = ("datasets", "partitions", "models", "post-training", "backends", "perturbations", "purifications")
"""The catalogues whose members are described on this page."""
ELSEWHERE = {"attacks": "../attacks/index.md", "defenses": "../rules/index.md"}
TITLES = {
    "datasets": "Data sets",
    "partitions": "Partitions",
    "models": "Models",
    "post-training": "Post-training defenses",
    "backends": "Backends",
    "perturbations": "Attacks on minibatches",
    "purifications": "Defenses of minibatches",
}
WORDS = {bool: "true or false", int: "integer", float: "number", str: "text"}
BOUNDS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}
INTRODUCTION = """# Configuration keys

Every key of a configuration file. `KEY=VALUE` on the command line sets the same keys, as in `sparring run
federation.rounds=50`. A key that is left out has its default. `attack` is a section with the keys of `attacks`, which
is a list of such sections. The options of what a key *names*, such as those of a rule, are keys of the same section:
`defense.name=krum defense.malicious=2`. **Since** is the version in which a key began to matter.
"""


CENTRAL_INTRODUCTION = """## Central training

With `kind=central` one learner trains, without clients, as in `sparring run kind=central training.epochs=5`. It has
these keys. Without `kind`, or with `kind=federated`, a federation trains.
"""


class Key(NamedTuple):
    """A key of a configuration, by its full name."""

    name: str
    type: str
    default: str
    meaning: str
    since: str


def list_keys(schema: Schema = FEDERATED) -> dict[str, list[Key]]:
    """Return all keys by their section; those outside of any are in a section of their own name."""
    found: dict[str, list[Key]] = {}
    for each in fields(schema.config):
        if each.name in schema.sections:
            section = schema.sections[each.name]
            found[each.name] = [_key(schema, own, of=section, section=each.name) for own in fields(section)]
        elif each.name != DERIVED:
            found[each.name] = [_key(schema, each, of=schema.config)]
    return found


def write_keys_page() -> str:
    """Return the page of all keys."""
    parts = [INTRODUCTION, *_tables(FEDERATED, "## {}"), CENTRAL_INTRODUCTION, *_tables(CENTRAL, "### central: {}")]
    for kind in HERE:
        parts += [f"## {TITLES[kind]} {{ #{kind} }}", *map(_described, members(kind))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _tables(schema: Schema, heading: str) -> Iterator[str]:
    """Yield the parts of a page that describe the keys of one kind of training."""
    for section, entries in list_keys(schema).items():
        description = getdoc(schema.sections[section]) if section in schema.sections else ""
        rows = [(f"`{each.name}`", prose(each.meaning), each.type, each.default, each.since) for each in entries]
        yield heading.format(section)
        yield prose(description or "")
        yield table(("key", "meaning", "type", "default", "since"), *rows)


def _key(schema: Schema, field: Field[Any], *, of: type, section: str = "") -> Key:
    """Describe a field of a settings class."""
    hint, meaning = get_type_hints(of, include_extras=True)[field.name], option_meanings(of).get(field.name, "")
    own = "name" if field.name == "member" else field.name
    name = f"{section}.{own}" if section else own
    holder = name.removesuffix(".name")
    kind = schema.members.get(holder)
    named = _type(hint) if kind is None else f"the name of one of the {_linked(kind)}"
    default = schema.defaults.get(holder, field.default)
    written = "must be given" if default is MISSING else _value(default)
    return Key(name, named, written, meaning, schema.since.get(name, ""))


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
