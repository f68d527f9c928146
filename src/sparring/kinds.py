"""What a catalogue can hold: the section of a configuration that names it, and the methods that tell it from others."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sparring.errors import PluginError


class Kind(NamedTuple):
    """The section that names a member of a catalogue, and the methods of which every member has at least one."""

    section: str
    verbs: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "attacks": Kind("attack", ("craft", "poison")),
    "triggers": Kind("attack.trigger", ("stamp",)),
    "defenses": Kind("defense", ("aggregate",)),
    "post-training": Kind("post_training", ("repair",)),
    "datasets": Kind("data", ("load",)),
    "partitions": Kind("data.partition", ("assign",)),
    "models": Kind("model", ("module",)),
}
"""By the catalogues' names."""


def kind_of(cls: type) -> str:
    """Return the name of the catalogue that a class belongs to, told by its methods."""
    found = [name for name, kind in KINDS.items() if has_method(cls, kind.verbs)]
    if len(found) != 1:
        verbs = ", ".join(verb for kind in KINDS.values() for verb in kind.verbs)
        raise PluginError(f"{cls.__name__} has {len(found)} of these methods; it must have one: {verbs}")
    return found[0]


def has_method(cls: type, verbs: Iterable[str]) -> bool:
    """Say whether a class has one of these methods."""
    return any(callable(getattr(cls, verb, None)) for verb in verbs)
