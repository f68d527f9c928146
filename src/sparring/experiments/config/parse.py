"""A document becomes settings, and settings a document again; the digest of a run, and where two runs differ."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.file_contents import file_contents, known_by
from sparring.experiments.config.renamed import accept_former, to_former
from sparring.experiments.config.schema import (
    EXAMPLES,
    AttackerSettings,
    Config,
    DataSettings,
    EvaluationSettings,
    ExecutionSettings,
    FederationSettings,
    Seed,
    ThreatSettings,
)
from sparring.experiments.config.sections import (
    Section,
    fill_defaults,
    member,
    parse_section,
    split_member_options,
    subsection,
)
from sparring.registry import ELSEWHERE, Table, checked, lookup, nearest, offer, opened, spelled

FACTS = {"classes": EXAMPLES}
"""Options of attackers that follow from the data, unless they are written, and what stands for them until then."""
RECIPE = ("local_steps", "local_epochs", "batch", "lr")
"""How an attacker's clients train, in its section; what the attacker has an option of this name for is that option."""

SECTIONS: Mapping[str, type] = {
    "federation": FederationSettings,
    "data": DataSettings,
    "attack": AttackerSettings,
    "threat": ThreatSettings,
    "evaluation": EvaluationSettings,
    "execution": ExecutionSettings,
}
"""The settings that a document has in sections."""

DATA = {"name": "digits"}
PARTITION = {"name": "label_skew"}
MODEL = {"name": "lenet"}
DEFENSE = {"name": "mean"}
POST_TRAINING = {"name": "none"}
NO_ATTACK = {"name": "none", "malicious": 0}


def parse_config(
    document: Section, catalogues: Catalogues = CATALOGUES, *, files: Mapping[str, str] | None = None
) -> Config:
    """Return the settings that a document describes; a key or a name that is not known is refused.

    What the files hold that it names is read, unless `files` says it.
    """
    _refuse_unknown(document)
    config = _configured(accept_former(document), catalogues)
    return replace(config, files=file_contents(config, catalogues) if files is None else files)


def _refuse_unknown(document: Section) -> None:
    known = [*(field.name for field in fields(Config) if field.name != "files"), "attack"]
    for key in document:
        if key not in known:
            place = full_key(key)
            told = nearest(key, known) or (f"; did you mean {place!r}?" if place else offer(key, known))
            raise UnknownName(f"the configuration has no key {key!r}{told}")


def _configured(document: Section, catalogues: Catalogues) -> Config:
    return Config(
        seed=checked("seed", Seed, document.get("seed", Config.seed)),
        data=_data(member(document, "data"), catalogues),
        model=fill_defaults("model", catalogues["models"], section=MODEL | member(document, "model")),
        federation=parse_section("federation", FederationSettings, subsection(document, "federation")),
        attacks=_attackers(document, catalogues),
        defense=fill_defaults("defense", catalogues["defenses"], section=DEFENSE | member(document, "defense")),
        post_training=fill_defaults(
            "post_training",
            catalogues["post-training"],
            section=POST_TRAINING | member(document, "post_training"),
        ),
        threat=parse_section("threat", ThreatSettings, subsection(document, "threat")),
        evaluation=parse_section("evaluation", EvaluationSettings, subsection(document, "evaluation")),
        execution=_execution(subsection(document, "execution"), catalogues["backends"]),
    )


def full_key(key: str) -> str | None:
    """Return where a key stands that is written without its section, as in `federation.rounds`."""
    for word in (spelled(key), *ELSEWHERE.get(spelled(key), ())):
        if word in (*(field.name for field in fields(Config) if field.name != "files"), "attack"):
            return word
        for section, settings in SECTIONS.items():
            if word in {field.name for field in fields(settings)} - {"member"}:
                return f"{section}.{word}"
    return None


def to_document(config: Config) -> dict[str, Any]:
    """Return the document that says all settings, from which `configure` makes an equal configuration."""
    document = asdict(config)
    del document["files"]
    return document | {
        "data": _flat(document["data"]),
        "attacks": [_attacker_section(attacker) for attacker in document["attacks"]],
    }


def digest(config: Config) -> str:
    """Return the name of the run's results: the SHA-256 of its document, without how it is executed.

    A file that the document names stands in there by what it holds.
    """
    document = known_by(to_former(to_document(config)), config.files)
    del document["execution"]
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _flat(section: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in section.items() if key != "member"}
    return {**section["member"], **own}


def _attacker_section(section: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the federation settles for the attacker's clients, too."""
    return _flat({key: value for key, value in section.items() if key not in RECIPE or value is not None})


def _data(section: Section, catalogues: Catalogues) -> DataSettings:
    beside = [field.name for field in fields(DataSettings) if field.name != "member"]
    datasets, partitions = catalogues["datasets"], catalogues["partitions"]
    source, own = split_member_options("data", datasets, section={**DATA, **section}, beside=beside)
    partition = fill_defaults("data.partition", partitions, section=PARTITION | member(own, "partition"))
    made = {"member": fill_defaults("data", datasets, section=source), "partition": partition}
    return parse_section("data", DataSettings, {**own, **made})


def _attackers(document: Section, catalogues: Catalogues) -> tuple[AttackerSettings, ...]:
    """Read `attack`, a section, or `attacks`, a list of them; one without clients is no attacker."""
    if document.get("attack") is not None and document.get("attacks") is not None:
        raise ConfigError("attack and attacks are both given; put all sections into attacks")
    single, several = member(document, "attack"), document.get("attacks")
    if several is not None and not isinstance(several, list):
        raise ConfigError(f"attacks is {several!r}; it must be a list of sections, each with a name")
    labeled = {"attack": single} if single else {f"attacks.{place}": each for place, each in enumerate(several or ())}
    read = [_attacker(label, section, catalogues=catalogues) for label, section in labeled.items()]
    return tuple(attacker for attacker in read if attacker.malicious > 0)


def _attacker(label: str, section: Any, *, catalogues: Catalogues) -> AttackerSettings:
    section = opened(label, section)
    name = section.get("name")
    if isinstance(name, str) and spelled(name) == "none":
        section = {**NO_ATTACK, **section}
    attacks = catalogues["attacks"]
    options = {field.name for field in fields(lookup(label, attacks, name))}
    beside = ("malicious", "start", *(key for key in RECIPE if key not in options))
    played, own = split_member_options(label, attacks, section=section, beside=beside)
    made = fill_defaults(label, attacks, section=played, families=catalogues.families, facts=FACTS)
    attacker = parse_section(label, AttackerSettings, {**own, "member": made})
    if attacker.local_steps is not None and attacker.local_epochs is not None:
        raise ConfigError(f"{label}.local_epochs is {attacker.local_epochs}; {label}.local_steps is given, use one")
    return attacker


def _execution(section: Section, backends: Table) -> ExecutionSettings:
    execution = parse_section("execution", ExecutionSettings, section)
    lookup("execution.backend", backends, execution.backend)
    return replace(execution, backend=spelled(execution.backend))


def first_difference(one: Config, other: Config) -> tuple[str, Any, Any] | None:
    """Return the first key at which two configurations differ, with the value of each; None where they are equal."""
    # A run of an earlier version knows its files by their names alone.
    are_known = bool(one.files and other.files)
    first, second = (flatten(known_by(to_document(each), each.files if are_known else {})) for each in (one, other))
    for key in {**first, **second}:
        if first.get(key) != second.get(key):
            return key, _told(one, key), _told(other, key)
    return None


def _told(config: Config, key: str) -> Any:
    """Return the value of a key; that of a file with the beginning of its digest."""
    value = flatten(to_document(config)).get(key)
    known = config.files.get(value) if isinstance(value, str) else None
    return value if known is None else f"{value} (sha256 {known[:12]})"


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Flatten sections and lists to `section.key`."""
    if isinstance(value, list):
        value = {str(place): each for place, each in enumerate(value)}
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        leaf: each
        for key, part in value.items()
        for leaf, each in flatten(part, f"{path}.{key}" if path else key).items()
    }
