"""The request of an audit: a federation with its rule, the hand-crafted attacks, and the malicious clients."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from sparring.attacks import TRIGGERS, CoordinatedAttack, LearnedAttack, NoAttack
from sparring.contracts import Attack, Backdoor
from sparring.errors import ConfigError
from sparring.experiments.audit.goals import BACKDOOR, GOALS, TEAM, UNTARGETED, Goal
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues, list_without_options
from sparring.experiments.config.file_contents import replace_file_names
from sparring.experiments.config.parse import FACTS, parse_federation, to_document
from sparring.experiments.config.renamed import accept_former, to_former
from sparring.experiments.config.schema import Config
from sparring.experiments.config.sections import Section, member, subsection
from sparring.federation.threat import VIEWS, Knowledge
from sparring.registry import build, checked, lookup, normalize_name, opened

NOT_CRAFTED = (NoAttack, LearnedAttack, CoordinatedAttack)
"""Attacks that are not hand-crafted: none, and the learned ones."""


VARIANTS: Mapping[str, Section] = {"model_replacement": {"name": "bfl", "boost": None}}
"""Backdoors of the catalogue with other options, by their labels: a boost that replaces the global model."""
BACKDOOR_KEYS = ("trigger", "target", "source")
"""The options of an attack's section that define the backdoor, for all backdoors of an audit."""
SMALL_BARS: Section = {"name": "bars", "rows": [0, 2], "columns": [0, 4], "length": 3}
"""The default trigger on the digits of 8×8 pixels, for which there are no published bars."""


def crafted_attacks(
    catalogues: Catalogues, knowledge: Knowledge, backdoor: Section | None = None
) -> Mapping[str, Section]:
    """Return every untargeted attack that the threat model permits, with default options.

    With a backdoor, return all attacks that can implant it in place of the untargeted ones. Attacks with an option
    that has no default are left out.
    """
    classes = list_without_options("attacks", catalogues, known=FACTS)
    found: dict[str, Section] = {
        name: {"name": name} for name, cls in classes.items() if not issubclass(cls, NOT_CRAFTED)
    }
    if backdoor is not None:
        found |= VARIANTS
        for label, section in found.items():
            cls = lookup("attack", catalogues["attacks"], section["name"])
            found[label] = _with_backdoor(cls, section, backdoor)
    kept = {
        label: section
        for label, section in found.items()
        if _is_played(section, catalogues, knowledge=knowledge, is_backdoor=backdoor is not None)
    }
    return dict(sorted(kept.items()))


def _with_backdoor(cls: type, section: Section, backdoor: Section) -> Section:
    """Return the section of an attack with those options of the backdoor that it has."""
    known = {field.name for field in fields(cls) if field.init}
    return {**{key: value for key, value in backdoor.items() if key in known}, **section}


def _is_played(section: Section, catalogues: Catalogues, *, knowledge: Knowledge, is_backdoor: bool) -> bool:
    """Return whether an attack has the goal, and the threat model grants the view that it needs.

    An attack that cannot implant the backdoor, such as DBA with a trigger without parts, is not played.
    """
    try:
        player: Attack | object = build("attack", catalogues["attacks"], section, families=catalogues.families, **FACTS)
    except ConfigError:
        if not is_backdoor:
            raise
        return False
    needed = getattr(player, "needs", None)
    is_granted = needed is None or issubclass(VIEWS[knowledge], needed)
    return isinstance(player, Backdoor) == is_backdoor and is_granted


NO_ATTACK = "none"
ATTACKER_KEYS = ("malicious", "start")
"""The keys of an attacker's section for the number of malicious clients and the first round of the attack."""
MOST_SEEDS = 1000
BRIEF_MODEL: Section = {"name": "logistic"}
BRIEF_ROUNDS = 40
"""Default model and rounds of an audit: on digits, an audit takes ten minutes on two cores."""


@dataclass(frozen=True)
class AuditRequest:
    """The request of an audit; equal requests give equal audits."""

    base: Section
    """The configuration, without attackers and without a seed."""
    own: Mapping[str, Section]
    """The attack named in the configuration, if any: it is run in addition to those of the catalogue."""
    malicious: int
    start: int
    seed: int
    seeds: int
    budget: float
    """The approximate time for the whole audit in seconds."""
    catalogues: Catalogues = CATALOGUES
    goal: Goal = UNTARGETED
    backdoor: Section | None = None
    """Trigger, target and source of all backdoors; None if the goal is another."""

    @cached_property
    def config(self) -> Config:
        """The run without an attack."""
        return parse_federation({**self.base, "seed": self.seed}, self.catalogues)

    @cached_property
    def attacks(self) -> Mapping[str, Section]:
        """The hand-crafted attacks by their labels."""
        return {**crafted_attacks(self.catalogues, self.config.threat.knowledge, self.backdoor), **self.own}

    @property
    def honest(self) -> Section:
        """The attack of malicious clients that train honestly.

        With a backdoor it names the trigger, so that a run without an attack measures what the trigger does by itself.
        """
        return {"name": NO_ATTACK} if self.backdoor is None else {"name": "bfl", "ratio": 0.0, **self.backdoor}

    @property
    def defense(self) -> str:
        """The name of the rule."""
        return str(self.config.defense["name"])

    @property
    def fresh(self) -> Sequence[int]:
        """The seeds of every measurement, which are not used for choosing a policy."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def plugins(self) -> Sequence[str]:
        """The modules of the required plug-ins."""
        return [plugin.module for plugin in self.catalogues.plugins]

    @property
    def training_seed(self) -> int:
        """The seed of the federation in which policies are trained and chosen, which is not measured."""
        return self.seed + self.seeds

    def attacked(self, section: Section, malicious: int | None = None) -> dict[str, Any]:
        """Return the section of an attacker that uses the attack named by `section`."""
        return {**section, "malicious": self.malicious if malicious is None else malicious, "start": self.start}

    def run(self, section: Section, seed: int) -> Config:
        """Return the configuration of a run with the attack named by `section`."""
        return parse_federation({**self.base, "seed": seed, "attack": self.attacked(section)}, self.catalogues)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The complete request with every default written out, except for the section `execution`."""
        described = to_document(self.config)
        del described["execution"], described["attacks"]
        effort = {"seeds": self.seeds, "budget": self.budget}
        complete = {**described, **effort, "malicious": self.malicious, "start": self.start, "attacks": self.attacks}
        files = dict(self.config.files)
        for section in (self.honest, *self.own.values()):
            files.update(self.run(section, self.seed).files)
        if self.backdoor is not None:
            complete |= {"goal": self.goal.name, "backdoor": self.backdoor, "own": self.own}
        if self.goal is TEAM:
            complete["goal"] = self.goal.name
        document: dict[str, Any] = replace_file_names(complete, files)
        return document

    @property
    def digest(self) -> str:
        """The digest that identifies the request."""
        return hashlib.sha256(json.dumps(to_former(self.document), sort_keys=True).encode()).hexdigest()


def read_request(
    document: Section, *, seeds: int, budget: float, catalogues: Catalogues = CATALOGUES, goal: str = UNTARGETED.name
) -> AuditRequest:
    """Return the request that a configuration describes; its attack section sets the malicious clients.

    With the goal `backdoor` this section may also set the `trigger`, `target` and `source` of all backdoors.
    """
    if goal not in GOALS:
        raise ConfigError(f"goal is {goal!r}; it must be one of: {', '.join(GOALS)}")
    if document.get("attacks") is not None:
        raise ConfigError("attacks is given; an audit uses one attacker at a time, give only attack.malicious")
    if not 2 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds is {seeds}; it must be from 2, for an interval, to {MOST_SEEDS}")
    document = accept_former(document)
    base = _add_brief_defaults(
        {key: value for key, value in document.items() if key not in ("attack", "attacks", "seed")}
    )
    clean = parse_federation({**base, "seed": document.get("seed", Config.seed)}, catalogues)
    section = member(document, "attack")
    own = {key: value for key, value in section.items() if key not in ATTACKER_KEYS}
    backdoor = _read_backdoor(own, clean) if goal == BACKDOOR.name else None
    if backdoor is not None:
        own = {**backdoor, **own} if "name" in own else {key: own[key] for key in own if key not in BACKDOOR_KEYS}
    request = AuditRequest(
        base=base,
        own={str(own["name"]): own} if own.get("name", NO_ATTACK) != NO_ATTACK else {},
        **_read_attackers(section, clean),
        seed=clean.seed,
        seeds=seeds,
        budget=budget,
        catalogues=catalogues,
        goal=GOALS[goal],
        backdoor=backdoor,
    )
    _check(request, own)
    return request


def _add_brief_defaults(document: Section) -> Section:
    """Return the configuration with the smaller defaults of an audit, which executes about a hundred runs."""
    model = {**BRIEF_MODEL, **member(document, "model")}
    return {**document, "model": model, "federation": {"rounds": BRIEF_ROUNDS, **subsection(document, "federation")}}


def _read_attackers(section: Section, clean: Config) -> dict[str, int]:
    """Return the number of malicious clients, by default as many as the rule assumes, and their first round."""
    expected = max(1, round(clean.threat.assumed_malicious * clean.federation.clients))
    given = {"malicious": expected, "start": 0} | {key: section[key] for key in ATTACKER_KEYS if key in section}
    return {key: checked(f"attack.{key}", int, value) for key, value in given.items()}


def _read_backdoor(section: Section, clean: Config) -> dict[str, Any]:
    """Return the trigger, target and source of the backdoors: those of the attack's section, or defaults."""
    bars = SMALL_BARS if clean.data.member["name"] == "digits" else {"name": "bars"}
    given = {"trigger": bars, "target": 2, "source": None} | {
        key: section[key] for key in BACKDOOR_KEYS if key in section
    }
    trigger = opened("attack.trigger", given["trigger"])
    if normalize_name(trigger.get("name")) not in TRIGGERS:
        raise ConfigError(
            f"attack.trigger is {trigger.get('name')!r}; a learned backdoor keeps its trigger by name, use one of: "
            f"{', '.join(TRIGGERS)}"
        )
    return {**given, "trigger": trigger}


def _check(request: AuditRequest, own: Section) -> None:
    """Reject settings that would make the audit fail later."""
    federation, knowledge = request.config.federation, request.config.threat.knowledge
    if own and "name" not in own:
        raise ConfigError(f"attack has {next(iter(own))!r} and no name; give only attack.malicious and attack.start")
    if not 1 <= request.malicious < federation.clients:
        raise ConfigError(f"attack.malicious is {request.malicious}; it must be from 1 to {federation.clients - 1}")
    if not 0 <= request.start < federation.rounds:
        raise ConfigError(f"attack.start is {request.start}; it must be from 0 to {federation.rounds - 1}")
    if knowledge == "black_box":
        raise ConfigError(
            "threat.knowledge is black_box; the learned attacker is trained against the rule, use white_box or "
            "omniscient"
        )
    _check_goal(request)
    for section in (request.honest, *request.own.values()):
        request.run(section, request.seed)


def _check_goal(request: AuditRequest) -> None:
    """Reject an attack of the configuration that has another goal."""
    for label, section in request.own.items() if request.backdoor is not None else ():
        cls = lookup("attack", request.catalogues["attacks"], section["name"])
        if not hasattr(cls, "triggered"):
            raise ConfigError(f"attack.name is {label!r}, which has no backdoor; use one that has, or another goal")
