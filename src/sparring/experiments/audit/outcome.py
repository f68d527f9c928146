"""What is left of an audit: its folder, its effort, its policies and its verdict."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sparring.experiments.audit.effort import Effort
from sparring.experiments.audit.training import Taught
from sparring.experiments.audit.verdict import Verdict


class Trained(NamedTuple):
    """A policy, and the accuracy that it left where policies were chosen."""

    policy: Taught
    rehearsed: float


class Audit(NamedTuple):
    """A finished audit."""

    folder: Path
    effort: Effort
    verdict: Verdict
    policies: Mapping[str, Trained]
    """The policies by their labels; the verdict is on the one that left least where they were chosen."""
