"""The kinds of catalogue members: the configuration section that names each, and the method that identifies it."""

from collections.abc import Mapping
from typing import NamedTuple

from sparring.errors import PluginError


class Kind(NamedTuple):
    """The configuration section that names a member of a catalogue, and the method that all members have."""

    section: str
    verb: str


KINDS: Mapping[str, Kind] = {
    "attacks": Kind("attack", "craft"),
    "poisons": Kind("attack", "poison"),
    "triggers": Kind("attack.trigger", "stamp"),
    "defenses": Kind("defense", "aggregate"),
    "post-training": Kind("post_training", "repair"),
    "datasets": Kind("data", "load"),
    "partitions": Kind("data.partition", "assign"),
    "models": Kind("model", "module"),
}
"""The kinds, by the catalogues' names."""
BOTH = ["attacks", "poisons"]
"""The two kinds that one class may have at once; it is then listed among the attacks."""


def kind_of(cls: type) -> str:
    """Return the name of the catalogue that a class belongs to, by its methods; an attack may also be a poison."""
    found = kinds_of(cls)
    if len(found) != 1 and found != BOTH:
        verbs = ", ".join(kind.verb for kind in KINDS.values())
        raise PluginError(f"{cls.__name__} has {len(found)} of these methods; it must have one: {verbs}")
    return found[0]


def kinds_of(cls: type) -> list[str]:
    """Return the names of all catalogues whose method a class has."""
    return [name for name, kind in KINDS.items() if callable(getattr(cls, kind.verb, None))]
