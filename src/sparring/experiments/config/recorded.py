"""The settings of a run as its folder records them: what they name is neither looked for in a plug-in nor built."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.experiments.config.parse import RECIPE
from sparring.experiments.config.renamed import to_present
from sparring.experiments.config.schema import (
    AttackerSettings,
    Config,
    DataSettings,
    EvaluationSettings,
    ExecutionSettings,
    FederationSettings,
    ThreatSettings,
)
from sparring.experiments.config.sections import NOTHING, Section, parse_section, subsection
from sparring.registry import lookup


def read_recorded(document: Section, *, files: Mapping[str, str] = NOTHING) -> Config:
    """Return the settings of a document that `describe` wrote, and what was recorded of the files that it names."""
    document = to_present(document)
    attackers = document.get("attacks", [])
    if not isinstance(attackers, list):
        raise ConfigError(f"attacks is {attackers!r}; it must be a list of sections, each with a name")
    return Config(
        seed=document.get("seed", Config.seed),
        data=_data(_named("data", document)),
        model=_named("model", document),
        federation=parse_section("federation", FederationSettings, subsection(document, "federation")),
        attacks=tuple(_attacker(f"attacks.{place}", attacker) for place, attacker in enumerate(attackers)),
        defense=_named("defense", document),
        post_training=_named("post_training", document),
        threat=parse_section("threat", ThreatSettings, subsection(document, "threat")),
        evaluation=parse_section("evaluation", EvaluationSettings, subsection(document, "evaluation")),
        execution=parse_section("execution", ExecutionSettings, subsection(document, "execution")),
        files=files,
    )


def _named(key: str, holder: Section) -> dict[str, Any]:
    section = subsection(holder, key)
    if not isinstance(section.get("name"), str):
        raise ConfigError(f"{key} has no name; a run names what it plays")
    return section


def _data(section: Section) -> DataSettings:
    own = {field.name for field in fields(DataSettings)} - {"member"}
    return parse_section("data", DataSettings, {**_parted(section, own), "partition": _named("partition", section)})


def _attacker(label: str, section: Any) -> AttackerSettings:
    if not isinstance(section, Mapping):
        raise ConfigError(f"{label} is {section!r}; it must be a section with a name")
    own = {"malicious", "start", *RECIPE} - _options(section.get("name"))
    return parse_section(label, AttackerSettings, _parted(section, own))


def _options(name: object) -> set[str]:
    """Return the options of an attack of ours: an attack may have one of its own for how its clients train."""
    if not isinstance(name, str) or name not in CATALOGUES["attacks"]:
        return set()
    return {field.name for field in fields(lookup("attack", CATALOGUES["attacks"], name))}


def _parted(section: Section, own: set[str]) -> dict[str, Any]:
    """Part a section into what stands beside the member that it names, and the member."""
    beside = {key: value for key, value in section.items() if key in own}
    return {**beside, "member": {key: value for key, value in section.items() if key not in own}}
