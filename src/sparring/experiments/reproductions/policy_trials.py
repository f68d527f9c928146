"""The learned attacks of a run: the files of their policies, and the evaluations of these during training."""

from collections.abc import Iterator
from pathlib import Path

from sparring.experiments.config.central_schema import AnyConfig
from sparring.experiments.jobs.atomic_files import read_json
from sparring.learning.online.schedule import PolicyTrial
from sparring.policies.saved_policy import resolve_policy_path

LEARNED = "learned"
TRIALS = ".json"
"""The suffix of the file of a policy's trials."""


def policies_of(config: AnyConfig) -> Iterator[Path]:
    """Yield the files of a run's learned attacks."""
    for kind, section in config.members():
        if kind == "attacks" and section["name"] == LEARNED:
            yield resolve_policy_path(section["policy"])


def trials_of(config: AnyConfig) -> Iterator[tuple[PolicyTrial, ...]]:
    """Yield the recorded trials for each learned attack of a run."""
    for policy in policies_of(config):
        content = read_json(policy.with_suffix(TRIALS))
        if isinstance(content, list):
            yield tuple(PolicyTrial(**trial) for trial in content)
