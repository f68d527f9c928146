"""What a catalogue can hold: the section of a configuration that names it, and the method that tells it from others."""

from collections.abc import Mapping
from typing import NamedTuple

from sparring.errors import PluginError


class Kind(NamedTuple):
    """The section that names a member of a catalogue, and the method that all members have."""

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
"""By the catalogues' names."""
BOTH = ["attacks", "poisons"]
"""What one class may be at once; it stands among the attacks."""


def kind_of(cls: type) -> str:
    """Return the name of the catalogue that a class belongs to, told by its methods; an attack may be a poison, too."""
    found = kinds_of(cls)
    if len(found) != 1 and found != BOTH:
        verbs = ", ".join(kind.verb for kind in KINDS.values())
        raise PluginError(f"{cls.__name__} has {len(found)} of these methods; it must have one: {verbs}")
    return found[0]


def kinds_of(cls: type) -> list[str]:
    """Return the names of all catalogues whose method a class has."""
    return [name for name, kind in KINDS.items() if callable(getattr(cls, kind.verb, None))]
