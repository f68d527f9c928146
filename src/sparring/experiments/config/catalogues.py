"""Catalogues of the names that a configuration can use, and the description and options of each member."""

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from sparring.attacks import ATTACKS, PERTURBATIONS, TRIGGERS
from sparring.contracts import InputDenoiser, Trigger
from sparring.data import DATASETS, PARTITIONS, Dataset
from sparring.defenses import ADAPTERS, DEFENSES, POST_TRAINING, PURIFICATIONS, Adapter
from sparring.errors import UnknownName
from sparring.experiments.config.meanings import option_meanings
from sparring.experiments.config.renamed import accept_former_kind
from sparring.generation import DENOISERS
from sparring.kinds import stated_facts
from sparring.models import MODELS
from sparring.registry import Families, Table, lookup, offer, to_section
from sparring.training import BACKENDS

Tables = Mapping[str, Table]
"""The table of each kind, such as `defenses`."""


Loaded = Callable[[Mapping[str, Any], Callable[[], Dataset]], Dataset]
"""Returns the data set that a section describes, from a cache or from the given loading function."""


def load_again(section: Mapping[str, Any], load: Callable[[], Dataset]) -> Dataset:
    """Load the data set."""
    return load()


class Plugin(NamedTuple):
    """A module that adds to the catalogues: its name, its version and its tables."""

    module: str
    version: str
    tables: Tables


@dataclass(frozen=True)
class Catalogues:
    """All names that a configuration can use, and the plug-ins that add to them."""

    tables: Tables
    plugins: tuple[Plugin, ...] = ()
    loaded: Loaded = load_again
    """Loads a data set, or takes it from a cache."""

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(table)} {kind}" for kind, table in self.tables.items())
        return f"Catalogues({counts})"

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __getitem__(self, kind: str) -> Table:
        table = self.tables.get(accept_former_kind(kind.replace("_", "-")))
        if table is None:
            raise UnknownName(f"unknown kind {kind!r}{offer(kind, self)}")
        return table

    @property
    def families(self) -> Families:
        """The members that a nested section of another kind can name."""
        return {Trigger: self.tables.get("triggers", {}), Adapter: ADAPTERS, InputDenoiser: DENOISERS}


INVERTING: Table = {"unlearning": "sparring.inversion.unlearning:Unlearning"}
"""Post-training defenses that first reverse triggers, and therefore depend on `sparring.inversion`."""

CATALOGUES = Catalogues(
    {
        "attacks": ATTACKS,
        "triggers": TRIGGERS,
        "defenses": DEFENSES,
        "perturbations": PERTURBATIONS,
        "purifications": PURIFICATIONS,
        "post-training": {**POST_TRAINING, **INVERTING},
        "datasets": DATASETS,
        "partitions": PARTITIONS,
        "models": MODELS,
        "backends": BACKENDS,
    }
)
"""The built-in catalogues."""


class Option(NamedTuple):
    """An option of a member: a field of its class; one without a default is required."""

    name: str
    type: str
    required: bool
    default: Any
    meaning: str = ""
    """The text below the field."""
    allowed: tuple[str, ...] = ()
    """The values that it takes, in words, such as `a number` and `null`."""


class Entry(NamedTuple):
    """A member of a catalogue, and the facts that its class states."""

    name: str
    description: str
    options: tuple[Option, ...]
    paper: str = ""
    cost: str = ""
    assumption: str = ""


def list_members(kind: str, catalogues: Catalogues = CATALOGUES) -> tuple[Entry, ...]:
    """Return the members of one kind, by name."""
    return tuple(entry_of(kind, name, catalogues) for name in catalogues[kind])


def entry_of(kind: str, name: str, catalogues: Catalogues = CATALOGUES) -> Entry:
    """Return one member of a kind."""
    table = catalogues[kind]
    cls = lookup(kind, table, name)
    paragraph = (getdoc(cls) or "").split("\n\n")[0]
    options = tuple(_options(cls, table, families=catalogues.families))
    return Entry(name, " ".join(paragraph.split()), options, *stated_facts(cls))


def list_without_options(
    kind: str, catalogues: Catalogues = CATALOGUES, *, known: Container[str] = ()
) -> dict[str, type]:
    """Return the classes of a kind that can be named without options, each by its first name.

    The options in `known` follow from the data.
    """
    names: dict[type, str] = {}
    for name in catalogues[kind]:
        cls = lookup(kind, catalogues[kind], name)
        if not any(field.init and is_required(field) and field.name not in known for field in fields(cls)):
            names.setdefault(cls, name)
    return {name: cls for cls, name in names.items()}


def is_required(field: Field[Any]) -> bool:
    """Say whether an option has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def _options(cls: type, table: Table, *, families: Families) -> Iterator[Option]:
    hints, meanings = get_type_hints(cls), option_meanings(cls)
    for field in fields(cls):
        if field.init:
            hint = hints[field.name]
            yield Option(
                field.name,
                _format_type(hint),
                is_required(field),
                _default(field, (table, *families.values())),
                meanings.get(field.name, ""),
                tuple(_describe_allowed(hint, families.get(hint, table))),
            )


def _default(field: Field[Any], tables: Sequence[Table]) -> Any:
    """Return the default of a field in the form of a document; None if there is no default."""
    if field.default_factory is not MISSING:
        return to_section(field.default_factory(), tables)
    if field.default is MISSING:
        return None
    return to_section(field.default, tables) if is_dataclass(field.default) else field.default


def _format_type(hint: Any) -> str:
    """Name a type without its modules."""
    written = hint.__name__ if isinstance(hint, type) else str(hint)
    return re.sub(r"\b\w+\.", "", written)


TYPES: Mapping[object, tuple[str, ...]] = {
    NoneType: ("null",),
    bool: ("true", "false"),
    float: ("a number",),
    int: ("a whole number",),
    str: ("text",),
}
"""What a field of a type takes."""


def _describe_allowed(hint: Any, table: Table) -> Iterator[str]:
    """Yield in words what a field takes; one for a member takes the names in `table`."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in TYPES:
        yield from TYPES[hint]
    elif origin is Literal:
        yield from map(str, inner)
    elif origin in (Union, UnionType):
        yield from (words for each in inner for words in _describe_allowed(each, table))
    elif origin is tuple:
        length = "" if inner[1:] == (...,) else f" of {len(inner)}"
        yield f"a list{length} (each {' or '.join(_describe_allowed(inner[0], table))})"
    elif getattr(hint, "_is_protocol", False):
        yield from table


Notice = Callable[[str], None]
"""Receives messages for the user."""


def ignore(_: object) -> None:
    """Do nothing."""
