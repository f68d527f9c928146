"""Convert documents to settings and back; compute the digest of a run, and the first difference of two runs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sparring.errors import ConfigError, UnknownName
from sparring.experiments.config.catalogues import CATALOGUES, Catalogues
from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.file_contents import file_contents, replace_file_names
from sparring.experiments.config.parse_central import CENTRAL_SECTIONS, central_document, parse_central, split_data
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
from sparring.registry import ELSEWHERE, Table, checked, lookup, nearest, normalize_name, offer, opened

FACTS = {"classes": EXAMPLES}
"""Options of attackers that follow from the data unless they are given, with provisional values for validation."""
RECIPE = ("local_steps", "local_epochs", "batch", "lr")
"""Keys of an attacker's section for training its clients; an option of the attack with the same name has precedence."""

SECTIONS: Mapping[str, type] = {
    "federation": FederationSettings,
    "data": DataSettings,
    "attack": AttackerSettings,
    "threat": ThreatSettings,
    "evaluation": EvaluationSettings,
    "execution": ExecutionSettings,
}
"""The class of each section without a name."""

KINDS = (Config.kind, CentralConfig.kind)
"""The kinds of training."""

PARTITION = {"name": "label_skew"}
MODEL = {"name": "lenet"}
DEFENSE = {"name": "mean"}
POST_TRAINING = {"name": "none"}
NO_ATTACK = {"name": "none", "malicious": 0}


def parse_config(
    document: Section, catalogues: Catalogues = CATALOGUES, *, files: Mapping[str, str] | None = None
) -> AnyConfig:
    """Return the settings of a run of either kind, by the key `kind` of its document.

    The files that it names are read to compute their digests, unless `files` contains these.
    """
    config: AnyConfig
    if kind_of(document) == CentralConfig.kind:
        config = parse_central(document, catalogues)
    else:
        _refuse_unknown(document)
        config = _parse_document(accept_former(document), catalogues)
    return replace(config, files=file_contents(config, catalogues) if files is None else files)


def parse_federation(
    document: Section, catalogues: Catalogues = CATALOGUES, *, files: Mapping[str, str] | None = None
) -> Config:
    """Return the settings of a federation that a document describes; unknown keys and names are rejected.

    The files that it names are read to compute their digests, unless `files` contains these.
    """
    if kind_of(document) != Config.kind:
        raise ConfigError(f"kind is {document['kind']!r}; this needs a federation, leave kind out")
    config = parse_config(document, catalogues, files=files)
    assert isinstance(config, Config)
    return config


def kind_of(document: Section) -> str:
    """Return the kind of training that a document describes; without one, a federation."""
    kind = document.get("kind", Config.kind)
    if kind not in KINDS:
        raise ConfigError(f"kind is {kind!r}; it must be one of: {', '.join(KINDS)}")
    return str(kind)


def _refuse_unknown(document: Section) -> None:
    known = [*(field.name for field in fields(Config) if field.name != "files"), "attack"]
    for key in document.keys() - {"kind"}:
        if key in CENTRAL_SECTIONS and key not in known:
            raise UnknownName(f"the configuration has no key {key!r}; it belongs to kind=central, add that")
        if key not in known:
            path = full_key(key)
            remedy = nearest(key, known) or (f"; did you mean {path!r}?" if path else offer(key, known))
            raise UnknownName(f"the configuration has no key {key!r}{remedy}")


def _parse_document(document: Section, catalogues: Catalogues) -> Config:
    return Config(
        seed=checked("seed", Seed, document.get("seed", Config.seed)),
        data=_parse_data(document, catalogues),
        model=fill_defaults("model", catalogues["models"], section=MODEL | member(document, "model")),
        federation=parse_section("federation", FederationSettings, subsection(document, "federation")),
        attacks=_parse_attackers(document, catalogues),
        defense=fill_defaults(
            "defense",
            catalogues["defenses"],
            section=DEFENSE | member(document, "defense"),
            families=catalogues.families,
        ),
        post_training=fill_defaults(
            "post_training",
            catalogues["post-training"],
            section=POST_TRAINING | member(document, "post_training"),
        ),
        threat=parse_section("threat", ThreatSettings, subsection(document, "threat")),
        evaluation=parse_section("evaluation", EvaluationSettings, subsection(document, "evaluation")),
        execution=_parse_execution(subsection(document, "execution"), catalogues["backends"]),
    )


def full_key(key: str) -> str | None:
    """Return the full name of a key given without its section, such as `federation.rounds` for `rounds`; else None."""
    for word in (normalize_name(key), *ELSEWHERE.get(normalize_name(key), ())):
        if word in (*(field.name for field in fields(Config) if field.name != "files"), "attack"):
            return word
        for section, settings in SECTIONS.items():
            if word in {field.name for field in fields(settings)} - {"member"}:
                return f"{section}.{word}"
    return None


def to_document(config: AnyConfig) -> dict[str, Any]:
    """Return the document of all settings; `parse_config` converts it into an equal configuration."""
    if isinstance(config, CentralConfig):
        return central_document(config)
    document = asdict(config)
    del document["files"]
    return document | {
        "data": _flatten_member(document["data"]),
        "attacks": [_attacker_section(attacker) for attacker in document["attacks"]],
    }


def digest(config: AnyConfig) -> str:
    """Return the SHA-256 that identifies a run: that of its document without the section `execution`.

    A file that the document names is represented by the digest of its contents.
    """
    document = replace_file_names(to_former(to_document(config)), config.files)
    del document["execution"]
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _flatten_member(section: dict[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in section.items() if key != "member"}
    return {**section["member"], **own}


def _attacker_section(section: dict[str, Any]) -> dict[str, Any]:
    """Omit the training settings that the attacker takes from the federation."""
    return _flatten_member({key: value for key, value in section.items() if key not in RECIPE or value is not None})


def _parse_data(document: Section, catalogues: Catalogues) -> DataSettings:
    found = split_data(document, DataSettings, catalogues)
    section = PARTITION | member(found, "partition")
    partition = fill_defaults("data.partition", catalogues["partitions"], section=section)
    return parse_section("data", DataSettings, {**found, "partition": partition})


def _parse_attackers(document: Section, catalogues: Catalogues) -> tuple[AttackerSettings, ...]:
    """Parse the section `attack` or the list `attacks`; sections with zero clients are dropped."""
    if document.get("attack") is not None and document.get("attacks") is not None:
        raise ConfigError("attack and attacks are both given; move all sections into attacks")
    single, several = member(document, "attack"), document.get("attacks")
    if several is not None and not isinstance(several, list):
        raise ConfigError(f"attacks is {several!r}; it must be a list of sections, each with a name")
    labeled = {"attack": single} if single else {f"attacks.{index}": each for index, each in enumerate(several or ())}
    read = [_parse_attacker(label, section, catalogues=catalogues) for label, section in labeled.items()]
    return tuple(attacker for attacker in read if attacker.malicious > 0)


def _parse_attacker(label: str, section: Any, *, catalogues: Catalogues) -> AttackerSettings:
    section = opened(label, section)
    name = section.get("name")
    if isinstance(name, str) and normalize_name(name) == "none":
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


def _parse_execution(section: Section, backends: Table) -> ExecutionSettings:
    execution = parse_section("execution", ExecutionSettings, section)
    lookup("execution.backend", backends, execution.backend)
    return replace(execution, backend=normalize_name(execution.backend))


def first_difference(one: AnyConfig, other: AnyConfig) -> tuple[str, Any, Any] | None:
    """Return the first key at which two configurations differ and both values; None if they are equal."""
    # Runs of earlier versions recorded only the names of files, without digests.
    are_known = bool(one.files and other.files)
    first, second = (
        flatten(replace_file_names(to_document(each), each.files if are_known else {})) for each in (one, other)
    )
    for key in {**first, **second}:
        if first.get(key) != second.get(key):
            return key, _describe_value(one, key), _describe_value(other, key)
    return None


def _describe_value(config: AnyConfig, key: str) -> Any:
    """Return the value of a key; the name of a file is followed by the first digits of its digest."""
    value = flatten(to_document(config)).get(key)
    known = config.files.get(value) if isinstance(value, str) else None
    return value if known is None else f"{value} (sha256 {known[:12]})"


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Flatten sections and lists to `section.key`."""
    if isinstance(value, list):
        value = {str(index): each for index, each in enumerate(value)}
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        leaf: each
        for key, part in value.items()
        for leaf, each in flatten(part, f"{path}.{key}" if path else key).items()
    }
