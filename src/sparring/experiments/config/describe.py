"""A run in words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sparring.experiments.config.schema import AttackerSettings, Config

MANY, FIRST = 20, 10
"""Of more classes than the former, only the latter number of names is shown, and the last one."""


def format_member(section: Mapping[str, Any]) -> str:
    """Name a member of a catalogue with its options, as in `clipped (inner=median, max_norm=2.0)`."""
    options = [f"{key}={_value(value)}" for key, value in section.items() if key != "name" and value is not None]
    return f"{section['name']} ({', '.join(options)})" if options else str(section["name"])


def format_classes(names: Sequence[str]) -> str:
    """Say which class has which number, as in `0 cat, 1 dog`."""
    numbered = [f"{number} {name}" for number, name in enumerate(names)]
    return ", ".join(numbered if len(names) <= MANY else [*numbered[:FIRST], "…", numbered[-1]])


def format_attacks(config: Config) -> str:
    """Say what the attackers of a run play, and through how many clients."""
    return "; ".join(_attack(attacker, config.federation.clients) for attacker in config.attacks) or "none"


def format_duration(seconds: float) -> str:
    """Say how long something takes: seconds below two minutes, else hours, minutes and seconds."""
    return f"{seconds:.1f} s" if seconds < 120 else str(timedelta(seconds=round(seconds)))


def _value(value: Any) -> str:
    return format_member(value) if isinstance(value, Mapping) else str(value)


def _attack(attacker: AttackerSettings, clients: int) -> str:
    since = f" from round {attacker.start} on" if attacker.start else ""
    return f"{format_member(attacker.member)} by {attacker.malicious} of {clients} clients{since}{_training(attacker)}"


def _training(attacker: AttackerSettings) -> str:
    """Say what is its own in how an attacker's clients train."""
    own = {
        "local_steps": attacker.local_steps,
        "local_epochs": attacker.local_epochs,
        "batch": attacker.batch,
        "lr": attacker.lr,
    }
    said = [f"{key}={value:g}" for key, value in own.items() if value is not None]
    return f", training with {', '.join(said)}" if said else ""
