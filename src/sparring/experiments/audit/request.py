"""What an audit is asked for: a federation with its rule, the hand-crafted attacks, and the attackers' clients."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any

from sparring.attacks import LearnedAttack, NoAttack
from sparring.contracts import Attack, Backdoor
from sparring.errors import ConfigError
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.file_contents import known_by
from sparring.experiments.config.parse import FACTS, parse_config, to_document
from sparring.experiments.config.renamed import accept_former, to_former
from sparring.experiments.config.schema import Config
from sparring.experiments.config.sections import Section, member, subsection
from sparring.federation.threat import VIEWS, Knowledge
from sparring.registry import build, checked, lookup

APART = (NoAttack, LearnedAttack)
"""What is no attack, and what is not hand-crafted."""


def crafted_attacks(catalogues: Catalogues, knowledge: Knowledge) -> Mapping[str, Section]:
    """Return every attack without a target class that the threat model grants, each with its defaults.

    One that has an option without a default is left out: nobody said what to play.
    """
    classes: dict[type, str] = {}
    for name in catalogues["attacks"]:
        cls = lookup("attack", catalogues["attacks"], name)
        if not issubclass(cls, APART) and not _required(cls):
            classes.setdefault(cls, name)
    names = (name for name in classes.values() if _is_played(name, catalogues, knowledge=knowledge))
    return {name: {"name": name} for name in sorted(names)}


def _is_played(name: str, catalogues: Catalogues, *, knowledge: Knowledge) -> bool:
    """Say whether an attack wants the model to be wrong, and may see what it needs."""
    player: Attack | object = build(
        "attack", catalogues["attacks"], {"name": name}, families=catalogues.families, **FACTS
    )
    needed = getattr(player, "needs", None)
    return not isinstance(player, Backdoor) and (needed is None or issubclass(VIEWS[knowledge], needed))


def _required(cls: type) -> bool:
    """Say whether somebody must give an option that the data does not settle."""
    return any(
        field.init and field.default is MISSING and field.default_factory is MISSING and field.name not in FACTS
        for field in fields(cls)
    )


NO_ATTACK = "none"
FIELDED = ("malicious", "start")
"""The keys of an attacker's section that say how many clients play, and since when."""
MOST_SEEDS = 1000
BRIEF_MODEL: Section = {"name": "logistic"}
BRIEF_ROUNDS = 40
"""What an audit plays that is not told otherwise: with the digits it is done in ten minutes on two cores."""


@dataclass(frozen=True)
class AuditRequest:
    """An audit: the same request gives the same audit."""

    base: Section
    """The configuration, with neither attackers nor a seed."""
    own: Mapping[str, Section]
    """The attack that the configuration names, if it does: it is played beside those of the catalogue."""
    malicious: int
    start: int
    seed: int
    seeds: int
    budget: float
    """Seconds that all of it may take, about."""
    catalogues: Catalogues = CATALOGUES

    @cached_property
    def config(self) -> Config:
        """The run without an attack."""
        return parse_config({**self.base, "seed": self.seed}, self.catalogues)

    @cached_property
    def attacks(self) -> Mapping[str, Section]:
        """The hand-crafted attacks, by their labels."""
        return {**crafted_attacks(self.catalogues, self.config.threat.knowledge), **self.own}

    @property
    def defense(self) -> str:
        """What the rule is called."""
        return str(self.config.defense["name"])

    @property
    def fresh(self) -> Sequence[int]:
        """The seeds that everything is measured with, and nothing chosen by."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def plugins(self) -> Sequence[str]:
        """The modules of the plug-ins that it needs."""
        return [plugin.module for plugin in self.catalogues.plugins]

    def training(self, policies: int) -> Sequence[int]:
        """Return the seeds that policies are trained and chosen with."""
        return range(self.seed + self.seeds, self.seed + self.seeds + policies)

    def attacked(self, section: Section, malicious: int | None = None) -> dict[str, Any]:
        """Return the section of an attacker that plays the attack that `section` names."""
        return {**section, "malicious": self.malicious if malicious is None else malicious, "start": self.start}

    def run(self, section: Section, seed: int) -> Config:
        """Return the run in which the attackers play the attack that `section` names."""
        return parse_config({**self.base, "seed": seed, "attack": self.attacked(section)}, self.catalogues)

    @cached_property
    def document(self) -> dict[str, Any]:
        """All that is asked for, every default written out but how it is executed."""
        described = to_document(self.config)
        del described["execution"], described["attacks"]
        effort = {"seeds": self.seeds, "budget": self.budget}
        told = {**described, **effort, "malicious": self.malicious, "start": self.start, "attacks": self.attacks}
        files = dict(self.config.files)
        for section in self.own.values():
            files.update(self.run(section, self.seed).files)
        document: dict[str, Any] = known_by(told, files)
        return document

    @property
    def digest(self) -> str:
        """What tells it from other requests."""
        return hashlib.sha256(json.dumps(to_former(self.document), sort_keys=True).encode()).hexdigest()


def read_request(document: Section, *, seeds: int, budget: float, catalogues: Catalogues = CATALOGUES) -> AuditRequest:
    """Return what a configuration asks an audit for; its attack section says whose clients play."""
    if document.get("attacks") is not None:
        raise ConfigError("attacks is given; an audit plays one attacker at a time, give attack.malicious alone")
    if not 2 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds is {seeds}; an interval needs at least 2, and at most {MOST_SEEDS} are played")
    document = accept_former(document)
    base = _briefer({key: value for key, value in document.items() if key not in ("attack", "attacks", "seed")})
    clean = parse_config({**base, "seed": document.get("seed", Config.seed)}, catalogues)
    section = member(document, "attack")
    own = {key: value for key, value in section.items() if key not in FIELDED}
    request = AuditRequest(
        base=base,
        own={str(own["name"]): own} if own.get("name", NO_ATTACK) != NO_ATTACK else {},
        **_fielded(section, clean),
        seed=clean.seed,
        seeds=seeds,
        budget=budget,
        catalogues=catalogues,
    )
    _check(request, own)
    return request


def _briefer(document: Section) -> Section:
    """Return the configuration with what an audit has other defaults for: it plays about a hundred runs."""
    model = {**BRIEF_MODEL, **member(document, "model")}
    return {**document, "model": model, "federation": {"rounds": BRIEF_ROUNDS, **subsection(document, "federation")}}


def _fielded(section: Section, clean: Config) -> dict[str, int]:
    """Return how many clients the attackers have, by default as many as the rule reckons with, and since when."""
    expected = max(1, round(clean.threat.assumed_malicious * clean.federation.clients))
    given = {"malicious": expected, "start": 0} | {key: section[key] for key in FIELDED if key in section}
    return {key: checked(f"attack.{key}", int, value) for key, value in given.items()}


def _check(request: AuditRequest, own: Section) -> None:
    """Refuse what an audit would come to grief over later."""
    federation, knowledge = request.config.federation, request.config.threat.knowledge
    if own and "name" not in own:
        raise ConfigError(f"attack has {next(iter(own))!r} and no name; give attack.malicious and attack.start alone")
    if not 1 <= request.malicious < federation.clients:
        raise ConfigError(f"attack.malicious is {request.malicious}; it must be from 1 to {federation.clients - 1}")
    if not 0 <= request.start < federation.rounds:
        raise ConfigError(f"attack.start is {request.start}; it must be from 0 to {federation.rounds - 1}")
    if knowledge == "black_box":
        raise ConfigError(
            "threat.knowledge is black_box; the learned attacker is trained against the rule, use white_box or "
            "omniscient"
        )
    for section in request.own.values():
        request.run(section, request.seed)
