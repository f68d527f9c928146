"""The checks of each kind of thing that a catalogue holds."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sparring.arrays import briefly
from sparring.contracts import Backdoor
from sparring.errors import PluginError
from sparring.testing.attacks import ATTACK_CHECKS
from sparring.testing.backdoors import BACKDOOR_CHECKS
from sparring.testing.check import Check, Finding, examine
from sparring.testing.datasets import DATASET_CHECKS
from sparring.testing.models import MODEL_CHECKS
from sparring.testing.partitions import PARTITION_CHECKS
from sparring.testing.poisons import POISON_CHECKS
from sparring.testing.repairs import REPAIR_CHECKS
from sparring.testing.rules import DEFENSE_CHECKS
from sparring.testing.triggers import TRIGGER_CHECKS


class Kind(NamedTuple):
    """What a catalogue holds: the section that names it, the method that tells it from others, and what it passes."""

    section: str
    verb: str
    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        return briefly(self)


KINDS: Mapping[str, Kind] = {
    "attacks": Kind("attack", "craft", ATTACK_CHECKS),
    "poisons": Kind("attack", "poison", POISON_CHECKS),
    "triggers": Kind("attack.trigger", "stamp", TRIGGER_CHECKS),
    "defenses": Kind("defense", "aggregate", DEFENSE_CHECKS),
    "post-training": Kind("post_training", "repair", REPAIR_CHECKS),
    "datasets": Kind("data", "load", DATASET_CHECKS),
    "partitions": Kind("data.partition", "assign", PARTITION_CHECKS),
    "models": Kind("model", "module", MODEL_CHECKS),
}
"""By the catalogues' names."""
BOTH = ["attacks", "poisons"]
"""What one class may be at once; it stands among the attacks."""


def kind_of(cls: type) -> str:
    """Return the name of the catalogue that a class belongs to, told by its methods; an attack may be a poison, too."""
    found = _kinds(cls)
    if len(found) != 1 and found != BOTH:
        verbs = ", ".join(kind.verb for kind in KINDS.values())
        raise PluginError(f"{cls.__name__} has {len(found)} of these methods; it must have one: {verbs}")
    return found[0]


def conformance(subject: object) -> Iterator[Finding]:
    """Yield what each check of its kind finds about an object."""
    return examine(checks_of(subject), subject)


def checks_of(subject: object) -> tuple[Check, ...]:
    """Return what an object must pass: as an attack and as a poison if it is both, and as a backdoor if it is one."""
    kind_of(type(subject))
    checks = [check for name in _kinds(type(subject)) for check in KINDS[name].checks]
    backdoor = BACKDOOR_CHECKS if isinstance(subject, Backdoor) else ()
    return tuple(dict.fromkeys((*checks, *backdoor)))


def _kinds(cls: type) -> list[str]:
    return [name for name, kind in KINDS.items() if callable(getattr(cls, kind.verb, None))]
