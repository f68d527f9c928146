"""The learned attacks of a run: where their policies are, and what these were worth while they were learned."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sparring.attacks.learned.trained_attack import located
from sparring.experiments.config.schema import Config
from sparring.experiments.jobs.atomic_files import read_json

LEARNED = "learned"
TRIALS = ".json"
"""What is behind the name of a policy in that of its trials."""


class PolicyTrial(NamedTuple):
    """What policies were worth in the simulation: by how much the loss has risen at the end of an episode."""

    steps: int
    gained: float
    """With the newest."""
    best: float
    """With the one that is played."""


def policies_of(config: Config) -> Iterator[Path]:
    """Yield the files of a run's learned attacks."""
    for attacker in config.attacks:
        if attacker.member["name"] == LEARNED:
            yield located(attacker.member["policy"])


def trials_of(config: Config) -> Iterator[tuple[PolicyTrial, ...]]:
    """Yield what policies were worth on the way to each learned attack of a run, where that is known."""
    for policy in policies_of(config):
        content = read_json(policy.with_suffix(TRIALS))
        if isinstance(content, list):
            yield tuple(PolicyTrial(**trial) for trial in content)
