"""Catalogues of the names that a configuration can use, and the description and options of each member."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import getdoc
from typing import Any, NamedTuple, get_type_hints

from sparring.attacks import ATTACKS, POISONS, TRIGGERS
from sparring.contracts import Trigger
from sparring.data import DATASETS, PARTITIONS, Dataset
from sparring.defenses import DEFENSES, POST_TRAINING
from sparring.errors import UnknownName
from sparring.experiments.config.sections import to_section
from sparring.models import MODELS
from sparring.registry import Families, Table, lookup, offer
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
        table = self.tables.get(kind.replace("_", "-"))
        if table is None:
            raise UnknownName(f"unknown kind {kind!r}{offer(kind, self)}")
        return table

    @property
    def plays(self) -> Table:
        """The members that an attacker's section can name."""
        return {**self["attacks"], **self["poisons"]}

    @property
    def families(self) -> Families:
        """The members that a nested section of another kind can name."""
        return {Trigger: self.tables.get("triggers", {})}


INVERTING: Table = {"unlearning": "sparring.inversion.unlearning:Unlearning"}
"""Post-training defenses that first reverse triggers, and therefore depend on `sparring.inversion`."""

CATALOGUES = Catalogues(
    {
        "attacks": ATTACKS,
        "poisons": POISONS,
        "triggers": TRIGGERS,
        "defenses": DEFENSES,
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


class Entry(NamedTuple):
    """A member of a catalogue."""

    name: str
    description: str
    options: tuple[Option, ...]


def list_members(kind: str, catalogues: Catalogues = CATALOGUES) -> tuple[Entry, ...]:
    """Return the members of one kind by name."""
    table = catalogues[kind]
    tables = (table, *catalogues.families.values())
    return tuple(_make_entry(name, lookup(kind, table, name), tables=tables) for name in table)


def _make_entry(name: str, cls: type, *, tables: Sequence[Table]) -> Entry:
    paragraph = (getdoc(cls) or "").split("\n\n")[0]
    return Entry(name, " ".join(paragraph.split()), _list_options(cls, tables))


def _list_options(cls: type, tables: Sequence[Table]) -> tuple[Option, ...]:
    hints = get_type_hints(cls)
    taken = [field for field in fields(cls) if field.init]
    return tuple(
        Option(
            field.name,
            _format_type(hints[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
            _default(field, tables),
        )
        for field in taken
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


Notice = Callable[[str], None]
"""Receives messages for the user."""


def ignore(_: object) -> None:
    """Do nothing."""
