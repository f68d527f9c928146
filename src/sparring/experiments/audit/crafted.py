"""The hand-crafted attacks that an audit plays."""

from collections.abc import Mapping
from dataclasses import MISSING, fields

from sparring.attacks import LearnedAttack, NoAttack
from sparring.contracts import Attack, Backdoor
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.parse import FACTS
from sparring.experiments.config.sections import Section
from sparring.federation.threat import VIEWS, Knowledge
from sparring.registry import build, lookup

APART = (NoAttack, LearnedAttack)
"""What is no attack, and what is not hand-crafted."""


def crafted_attacks(catalogues: Catalogues, knowledge: Knowledge) -> Mapping[str, Section]:
    """Return every attack and poison without a target class that the threat model grants, each with its defaults.

    One that has an option without a default is left out: nobody said what to play.
    """
    classes: dict[type, str] = {}
    for name in catalogues.plays:
        cls = lookup("attack", catalogues.plays, name)
        if not issubclass(cls, APART) and not _required(cls):
            classes.setdefault(cls, name)
    names = (name for name in classes.values() if _is_played(name, catalogues, knowledge=knowledge))
    return {name: {"name": name} for name in sorted(names)}


def _is_played(name: str, catalogues: Catalogues, *, knowledge: Knowledge) -> bool:
    """Say whether an attack wants the model to be wrong, and may see what it needs."""
    player: Attack | object = build("attack", catalogues.plays, {"name": name}, families=catalogues.families, **FACTS)
    needed = getattr(player, "needs", None)
    return not isinstance(player, Backdoor) and (needed is None or issubclass(VIEWS[knowledge], needed))


def _required(cls: type) -> bool:
    """Say whether somebody must give an option that the data does not settle."""
    return any(
        field.init and field.default is MISSING and field.default_factory is MISSING and field.name not in FACTS
        for field in fields(cls)
    )
