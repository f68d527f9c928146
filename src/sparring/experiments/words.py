"""A run in words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sparring.experiments.config.schema import AttackerSettings, Config
from sparring.experiments.forecast import Forecast

MEBIBYTE = 1 << 20
MANY, FIRST = 20, 10
"""Of more classes than the former, only the latter number of names is shown, and the last one."""


def told(config: Config, plan: Forecast) -> dict[str, str]:
    """Return what would be played, its time and its memory, by the names of these facts."""
    data, federation = config.data, config.federation
    return {
        "data": f"{called(data.member)}, {plan.examples:,} training examples",
        **({"classes": number_classes(plan.class_names)} if plan.class_names else {}),
        "clients": f"{federation.clients}, {federation.sampled} of them in a round; {called(data.partition)}",
        "model": f"{called(config.model)}, {plan.parameters:,} parameters",
        "training": f"{federation.rounds} rounds of {federation.local_steps} x {federation.batch} examples a client, "
        f"lr {federation.lr:g}",
        "attack": attacking(config),
        "defense": f"{called(config.defense)}, {_assuming(config)}",
        "post-training": called(config.post_training),
        "evaluation": f"every {config.evaluation.every} rounds, on the {config.evaluation.on} examples",
        "time": f"about {duration(plan.seconds)}",
        "memory": f"about {plan.memory / MEBIBYTE:,.0f} MiB",
    }


def called(section: Mapping[str, Any]) -> str:
    """Name a member of a catalogue with its options, as in `clipped (inner=median, max_norm=2.0)`."""
    options = [f"{key}={_value(value)}" for key, value in section.items() if key != "name" and value is not None]
    return f"{section['name']} ({', '.join(options)})" if options else str(section["name"])


def number_classes(names: Sequence[str]) -> str:
    """Say which class has which number, as in `0 cat, 1 dog`."""
    numbered = [f"{number} {name}" for number, name in enumerate(names)]
    return ", ".join(numbered if len(names) <= MANY else [*numbered[:FIRST], "…", numbered[-1]])


def attacking(config: Config) -> str:
    """Say what the attackers of a run play, and through how many clients."""
    return "; ".join(_attack(attacker, config.federation.clients) for attacker in config.attacks) or "none"


def duration(seconds: float) -> str:
    """Say how long something takes: seconds below two minutes, else hours, minutes and seconds."""
    return f"{seconds:.1f} s" if seconds < 120 else str(timedelta(seconds=round(seconds)))


def _assuming(config: Config) -> str:
    """Say how many malicious updates the rule assumes."""
    if config.has_oracle:
        return "an oracle: it is told how many updates of each round are malicious"
    return f"assuming {config.threat.assumed_malicious:.0%} malicious updates"


def _value(value: Any) -> str:
    return called(value) if isinstance(value, Mapping) else str(value)


def _attack(attacker: AttackerSettings, clients: int) -> str:
    since = f" from round {attacker.start} on" if attacker.start else ""
    return f"{called(attacker.member)} by {attacker.malicious} of {clients} clients{since}{_training(attacker)}"


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
