"""Describe a run in words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sparring.experiments.config.central_schema import AnyConfig, CentralConfig
from sparring.experiments.config.schema import AttackerSettings, Config

MANY, FIRST = 20, 10
"""With more than `MANY` classes, only the names of the first `FIRST` and of the last are shown."""


def format_member(section: Mapping[str, Any]) -> str:
    """Format a member of a catalogue with its options, as in `clipped (inner=median, max_norm=2.0)`."""
    options = [f"{key}={_format_value(value)}" for key, value in section.items() if key != "name" and value is not None]
    return f"{section['name']} ({', '.join(options)})" if options else str(section["name"])


def format_classes(names: Sequence[str]) -> str:
    """Format the names of classes with their numbers, as in `0 cat, 1 dog`."""
    numbered = [f"{number} {name}" for number, name in enumerate(names)]
    return ", ".join(numbered if len(names) <= MANY else [*numbered[:FIRST], "…", numbered[-1]])


def format_attacks(config: Config) -> str:
    """Format the attacks of a run and their numbers of malicious clients."""
    return "; ".join(_format_attack(attacker, config.federation.clients) for attacker in config.attacks) or "none"


def list_facts(config: AnyConfig) -> dict[str, str]:
    """Describe a run in words, as named facts."""
    if isinstance(config, CentralConfig):
        return _list_central_facts(config)
    data, federation, evaluation = config.data, config.federation, config.evaluation
    return {
        "data": format_member(data.member),
        "clients": f"{federation.clients}, {federation.sampled} sampled per round; {format_member(data.partition)}",
        "model": format_member(config.model),
        "training": f"{federation.rounds} rounds of {federation.local_steps} x {federation.batch} examples per client, "
        f"lr {federation.lr:g}",
        "attack": format_attacks(config),
        "defense": f"{format_member(config.defense)}, {_describe_assumption(config)}",
        "post-training": format_member(config.post_training),
        "evaluation": f"every {evaluation.every} rounds, on the {evaluation.on} examples",
    }


def _list_central_facts(config: CentralConfig) -> dict[str, str]:
    training, threat, evaluation = config.training, config.threat, config.evaluation
    every = "epoch" if evaluation.every is None else f"{evaluation.every} rounds"
    return {
        "data": format_member(config.data.member),
        "validation": f"{config.data.validation} examples",
        "model": format_member(config.model),
        "training": f"{training.epochs} epochs in minibatches of {training.batch}, {training.optimizer}, "
        f"lr {training.lr:g}, {training.objective}",
        "attack": f"{format_member(config.attack)}, {threat.knowledge.replace('_', ' ')}"
        + ("" if threat.validation else ", without the validation examples"),
        "defense": format_member(config.defense),
        "evaluation": f"every {every}, on the {evaluation.on} examples",
    }


def _describe_assumption(config: Config) -> str:
    """Describe the number of malicious updates that the rule assumes."""
    if config.has_oracle:
        return "an oracle: it receives the true number of malicious updates in each round"
    return f"assuming {config.threat.assumed_malicious:.0%} malicious updates"


def format_duration(seconds: float) -> str:
    """Format a duration: in seconds below two minutes, else in hours, minutes and seconds."""
    return f"{seconds:.1f} s" if seconds < 120 else str(timedelta(seconds=round(seconds)))


def _format_value(value: Any) -> str:
    return format_member(value) if isinstance(value, Mapping) else str(value)


def _format_attack(attacker: AttackerSettings, clients: int) -> str:
    since = f" from round {attacker.start} on" if attacker.start else ""
    share = f"{attacker.malicious} of {clients} clients"
    return f"{format_member(attacker.member)} by {share}{since}{_format_training(attacker)}"


def _format_training(attacker: AttackerSettings) -> str:
    """Format the attacker's own training settings."""
    own = {
        "local_steps": attacker.local_steps,
        "local_epochs": attacker.local_epochs,
        "batch": attacker.batch,
        "lr": attacker.lr,
    }
    said = [f"{key}={value:g}" for key, value in own.items() if value is not None]
    return f", training with {', '.join(said)}" if said else ""
