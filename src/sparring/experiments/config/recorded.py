"""Read recorded settings of a run, without importing or building the members that they name."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sparring.errors import ConfigError
from sparring.experiments.config.catalogues import CATALOGUES
from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.parse import RECIPE
from sparring.experiments.config.parse_central import read_central
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


def read_recorded_run(document: Section, *, files: Mapping[str, str] = NOTHING) -> AnyConfig:
    """Return the settings of a run of either kind in a document written by `to_document`."""
    if document.get("kind") == CentralConfig.kind:
        return read_central(document, files)
    return read_recorded(document, files=files)


def read_recorded(document: Section, *, files: Mapping[str, str] = NOTHING) -> Config:
    """Return the settings of a federation in such a document; `files` are the recorded digests of files."""
    document = to_present(document)
    attackers = document.get("attacks", [])
    if not isinstance(attackers, list):
        raise ConfigError(f"attacks is {attackers!r}; it must be a list of sections, each with a name")
    return Config(
        seed=document.get("seed", Config.seed),
        data=_read_data(_read_member("data", document)),
        model=_read_member("model", document),
        federation=parse_section("federation", FederationSettings, subsection(document, "federation")),
        attacks=tuple(_read_attacker(f"attacks.{index}", attacker) for index, attacker in enumerate(attackers)),
        defense=_read_member("defense", document),
        post_training=_read_member("post_training", document),
        threat=parse_section("threat", ThreatSettings, subsection(document, "threat")),
        evaluation=parse_section("evaluation", EvaluationSettings, subsection(document, "evaluation")),
        execution=parse_section("execution", ExecutionSettings, subsection(document, "execution")),
        files=files,
    )


def _read_member(key: str, holder: Section) -> dict[str, Any]:
    section = subsection(holder, key)
    if not isinstance(section.get("name"), str):
        raise ConfigError(f"{key} has no name; the configuration of a run names one")
    return section


def _read_data(section: Section) -> DataSettings:
    own = {field.name for field in fields(DataSettings)} - {"member"}
    return parse_section(
        "data", DataSettings, {**_split_member(section, own), "partition": _read_member("partition", section)}
    )


def _read_attacker(label: str, section: Any) -> AttackerSettings:
    if not isinstance(section, Mapping):
        raise ConfigError(f"{label} is {section!r}; it must be a section with a name")
    own = {"malicious", "start", *RECIPE} - _options(section.get("name"))
    return parse_section(label, AttackerSettings, _split_member(section, own))


def _options(name: object) -> set[str]:
    """Return the options of a built-in attack, which may have the name of a training setting."""
    if not isinstance(name, str) or name not in CATALOGUES["attacks"]:
        return set()
    return {field.name for field in fields(lookup("attack", CATALOGUES["attacks"], name))}


def _split_member(section: Section, own: set[str]) -> dict[str, Any]:
    """Split a section into the keys in `own` and the named member."""
    beside = {key: value for key, value in section.items() if key in own}
    return {**beside, "member": {key: value for key, value in section.items() if key not in own}}
