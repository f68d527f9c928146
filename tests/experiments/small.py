"""A run that takes no time, with everything that has a state: momentum, a rule with memory, an attacker."""

from pathlib import Path

from sparring.experiments import Config, apply_overrides, parse_config

SETTINGS = (
    *("data.name=synthetic", "data.classes=4", "data.features=6", "data.examples=160", "data.root_size=20"),
    *("model.name=logistic", "federation.clients=8", "federation.sampled=4", "federation.rounds=8"),
    *("federation.batch=4", "federation.momentum=0.5", "evaluation.every=3"),
    *("attack.name=ipm", "attack.malicious=2", "defense.name=centered_clipping"),
)

LASTING = ("rounds.jsonl", "result.json", "model.safetensors")
"""The files that are equal for equal runs."""


def small(*settings: str) -> Config:
    """Return the small run's configuration, with further settings."""
    return parse_config(apply_overrides({}, SETTINGS + settings))


def lasting(folder: Path) -> dict[str, bytes]:
    """Return what a run leaves that does not depend on how and when it was played."""
    return {name: (folder / name).read_bytes() for name in LASTING}
