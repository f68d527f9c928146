"""The kinds of catalogue members: the configuration section that names each, and the methods that identify it."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import NamedTuple

from sparring.errors import PluginError


class Kind(NamedTuple):
    """The configuration section that names a member of a catalogue, and the methods of which it has at least one."""

    section: str
    verbs: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "attacks": Kind("attack", ("craft", "poison")),
    "perturbations": Kind("attack", ("perturb",)),
    "purifications": Kind("defense", ("purify",)),
    "triggers": Kind("attack.trigger", ("stamp",)),
    "defenses": Kind("defense", ("aggregate", "plan")),
    "post-training": Kind("post_training", ("repair",)),
    "datasets": Kind("data", ("load",)),
    "partitions": Kind("data.partition", ("assign",)),
    "models": Kind("model", ("module",)),
}
"""The kinds, by the catalogues' names."""


def kind_of(cls: type) -> str:
    """Return the name of the catalogue that a class belongs to, by its methods."""
    found = [name for name, kind in KINDS.items() if has_method(cls, kind.verbs)]
    if len(found) != 1:
        verbs = ", ".join(verb for kind in KINDS.values() for verb in kind.verbs)
        raise PluginError(f"{cls.__name__} has {len(found)} of these methods; it must have one: {verbs}")
    return found[0]


def has_method(cls: type, verbs: Iterable[str]) -> bool:
    """Say whether a class has one of these methods."""
    return any(callable(getattr(cls, verb, None)) for verb in verbs)


SYMBOLS = "n updates of d parameters, f of them malicious"
"""The symbols in a `cost`; other symbols are explained in its text."""


class StatedFacts(NamedTuple):
    """What a class states about itself for its readers, as class variables of these names, in one line of text each.

    The site, `sparring list` and the conformance kit read them there. A plug-in may leave out any of them.
    """

    paper: str = ""
    """Where it comes from: "Authors, year, title, venue", several separated by "; "; empty where there is no paper."""
    cost: str = ""
    """Operations of a round, a repair or a prediction, as in `O(n^2 d)`, with the letters of `SYMBOLS`.

    For an attack, the cost in addition to its clients' training.
    """
    assumption: str = ""
    """The condition under which it works."""


def stated_facts(cls: type) -> StatedFacts:
    """Return what a class states about itself; an option or a property of such a name states nothing."""
    options = {field.name for field in fields(cls)} if is_dataclass(cls) else set()
    stated = {name: getattr(cls, name, "") for name in StatedFacts._fields if name not in options}
    return StatedFacts(**{name: fact for name, fact in stated.items() if isinstance(fact, str)})
