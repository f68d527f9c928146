"""Attack domains as configuration: `domain: NAME`, or `domain: {name: NAME, types: {...}}`.

A type has a weight in the prior Q, attackers as in a run, and its own world where its `data` or `federation` differ.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from sparring.attacks.learned.acting import ACTING
from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.parse import DEFENSE, FACTS, POST_TRAINING, parse_federation
from sparring.experiments.config.schema import CLIENTS, Config
from sparring.experiments.config.sections import Section, fill_defaults, member, refuse_unknown, subsection
from sparring.experiments.config.yaml_reader import read_document
from sparring.experiments.hardening.shipped_domains import SHIPPED
from sparring.games.federated.domain import attribute_type
from sparring.registry import checked, normalize_name, offer, opened

WORLD: Mapping[str, Collection[str] | None] = {"data": ("partition",), "federation": None}
"""The sections of a type's own world, and the keys that they may have; None allows all."""
TYPE_KEYS = ("weight", "attack", "attacks", "follower", *WORLD)
EXTENSIONS = (".yaml", ".yml")

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=CLIENTS)]


@dataclass(frozen=True, kw_only=True)
class FollowerSettings:
    """The learning attacker of an adaptive type."""

    acting: Section
    """What the actions of its policy mean."""
    malicious: int
    """The number of clients that it controls."""
    against: Config
    """A run under the rule and the repair that it is trained against before."""


@dataclass(frozen=True, kw_only=True)
class TypeSettings:
    """A type of a domain."""

    config: Config
    """The run against its attackers, in its world."""
    weight: float = 1.0
    """Its weight in the prior Q; a type of weight 0 is measured and not trained on."""
    follower: FollowerSettings | None = None


def read_domain(given: str) -> Section:
    """Return the section `domain` of a YAML file, or the one that names a shipped domain."""
    if not given.endswith(EXTENSIONS):
        return {"name": given}
    document = read_document(Path(given))
    refuse_unknown(given, document, known=("domain",))
    if "domain" not in document:
        raise ConfigError(f"{given}: no section 'domain'; write one, as in domain: {{types: {{none: {{}}}}}}")
    return opened("domain", document["domain"])


def parse_domain(given: Any, document: Section, catalogues: Catalogues = CATALOGUES) -> dict[str, TypeSettings]:
    """Return the types that a section `domain` describes, for the federation of a document.

    The document's own attackers do not take part.
    """
    base = {key: value for key, value in document.items() if key not in ("attack", "attacks", "domain")}
    types = {}
    for name, section in list_types(given).items():
        with attribute_type(name):
            types[name] = _parse_type(section, base, catalogues)
    if sum(each.weight for each in types.values()) <= 0:
        raise ConfigError("domain has no type of positive weight; give domain.name, or domain.types with at least one")
    return types


def list_types(given: Any) -> dict[str, dict[str, Any]]:
    """Return the sections of a domain's types: those of the named one, of which given types replace equal names."""
    section = opened("domain", given)
    refuse_unknown("domain", section, known=("name", "types"))
    name = section.get("name")
    shipped = {} if name is None else _find_shipped(name)
    own = subsection(section, "types")
    return {key: subsection({**shipped, **own}, key) for key in {**shipped, **own}}


def _find_shipped(name: Any) -> Mapping[str, Section]:
    found = SHIPPED.get(normalize_name(name))
    if found is None:
        raise UnknownName(f"unknown domain {name!r}{offer(name, SHIPPED)}; or give a file, {' or '.join(EXTENSIONS)}")
    return found


def _parse_type(section: Section, base: Section, catalogues: Catalogues) -> TypeSettings:
    refuse_unknown("it", section, known=TYPE_KEYS)
    world = {**base, **{key: _own_section(section, base, key) for key in WORLD if section.get(key) is not None}}
    clients = parse_federation(world, catalogues, files={}).federation.clients
    attackers: dict[str, Any] = {key: section[key] for key in ("attack", "attacks") if section.get(key) is not None}
    if "attack" in attackers:
        attackers["attack"] = _count_malicious("attack", attackers["attack"], clients=clients)
    if isinstance(attackers.get("attacks"), list | tuple):
        numbered = enumerate(attackers["attacks"])
        attackers["attacks"] = [_count_malicious(f"attacks.{place}", each, clients=clients) for place, each in numbered]
    follower = subsection(section, "follower")
    return TypeSettings(
        config=parse_federation({**world, **attackers}, catalogues),
        weight=checked("weight", Weight, section.get("weight", TypeSettings.weight)),
        follower=_parse_follower(follower, world, clients, catalogues) if follower else None,
    )


def _own_section(section: Section, base: Section, key: str) -> Section:
    """Return a section of a type's world: that of the run, with the type's own settings."""
    own, allowed = subsection(section, key), WORLD[key]
    if allowed is not None:
        refuse_unknown(f"its {key}", own, known=allowed)
    return {**member(base, key), **own}


def _count_malicious(label: str, section: Any, *, clients: int) -> dict[str, Any]:
    """Return an attacker's section with a number of clients in place of a share of them, at least 1."""
    own = opened(label, section)
    if "share" not in own:
        return own
    if "malicious" in own:
        raise ConfigError(f"{label}.share is {own['share']}; {label}.malicious is given, use one")
    share = checked(f"{label}.share", Share, own.pop("share"))
    return {**own, "malicious": max(1, round(share * clients)) if share > 0 else 0}


def _parse_follower(section: Section, world: Section, clients: int, catalogues: Catalogues) -> FollowerSettings:
    own = _count_malicious("follower", section, clients=clients)
    refuse_unknown("follower", own, known=("acting", "malicious", "share", "against"))
    for key in ("acting", "malicious"):
        if key not in own:
            raise ConfigError(f"follower lacks {key!r}; set follower.{key}")
    against = subsection(own, "against")
    refuse_unknown("follower.against", against, known=("defense", "post_training"))
    return FollowerSettings(
        acting=fill_defaults(
            "follower.acting", ACTING, section=member(own, "acting"), families=catalogues.families, facts=FACTS
        ),
        malicious=checked("follower.malicious", Count, own["malicious"]),
        against=parse_federation({**world, "defense": DEFENSE, "post_training": POST_TRAINING, **against}, catalogues),
    )
