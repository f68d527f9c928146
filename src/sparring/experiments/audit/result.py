"""The result of an audit: its folder, its plan, its policies and its verdict."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.claims import Above, Finding, find
from sparring.experiments.analysis.frames import by_seed, possible
from sparring.experiments.analysis.statistics import SMALLEST_GAP, Comparison, Summary, method, summary
from sparring.experiments.audit.budget import AuditPlan
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.training import TrainedPolicy
from sparring.experiments.sweeps.axes import ATTACK

METRIC = "accuracy"


class AuditCell(NamedTuple):
    """An attack, and what it leaves of the accuracy."""

    attack: str
    summary: Summary


class Breaking(NamedTuple):
    """How many clients halve the clean accuracy with the worst hand-crafted attack, and what the learned one does."""

    tried: Mapping[int, float]
    """The mean accuracy that so many malicious clients leave."""
    clients: int | None
    """The least number that halves it; None where the most that were tried do not."""
    learned: float
    """What the learned attack leaves with that number, or with the most that were tried."""

    @property
    def confirmed_at(self) -> int:
        """With how many clients the learned attack was played."""
        return max(self.tried) if self.clients is None else self.clients


class Verdict(NamedTuple):
    """The rule without an attack, under the worst hand-crafted attack, and under the learned one."""

    clean: Summary
    crafted: AuditCell
    learned: AuditCell
    gap: Finding
    """Whether what the hand-made attack leaves is more than what the learned one leaves."""
    breaking: Breaking

    @property
    def difference(self) -> Comparison:
        """How much more the hand-made attack leaves, seed by seed."""
        assert self.gap.comparison is not None
        return self.gap.comparison


def worst(runs: pd.DataFrame, attacks: Iterable[str]) -> AuditCell:
    """Return the attack that leaves least in the mean over seeds; of equal ones the first."""
    cells = [remaining_accuracy(runs, attack) for attack in attacks if by_seed(runs, {ATTACK: attack}, metric=METRIC)]
    if not cells:
        raise RunError("no hand-crafted attack was played to its end; the failures are in the folder of the audit")
    return min(cells, key=lambda cell: cell.summary.mean)


def remaining_accuracy(runs: pd.DataFrame, attack: str) -> AuditCell:
    """Return what an attack leaves of the accuracy."""
    return AuditCell(attack, summary(list(by_seed(runs, {ATTACK: attack}, metric=METRIC).values()), **possible(METRIC)))


def judge(
    runs: pd.DataFrame, crafted: AuditCell, *, learned: str, breaking: Breaking, gap: float = SMALLEST_GAP
) -> Verdict:
    """Compare the worst hand-crafted attack with the learned one on common seeds; `gap` is the least that counts."""
    statement = Above({ATTACK: crafted.attack}, {ATTACK: learned}, metric=METRIC)
    compared = find(statement, runs, gap=gap)
    return Verdict(
        remaining_accuracy(runs, NO_ATTACK).summary, crafted, remaining_accuracy(runs, learned), compared, breaking
    )


def plain(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON has it."""
    gap, breaking = verdict.difference, verdict.breaking
    return {
        "clean": verdict.clean._asdict(),
        "crafted": {"attack": verdict.crafted.attack, **verdict.crafted.summary._asdict()},
        "learned": {"attack": verdict.learned.attack, **verdict.learned.summary._asdict()},
        "gap": {
            **gap._asdict(),
            "interval": method(gap.n),
            "smallest": verdict.gap.gap,
            "verdict": verdict.gap.verdict,
            "reading": verdict.gap.reading,
        },
        "halved_by": {
            "clients": breaking.clients,
            "attack": verdict.crafted.attack,
            "tried": {str(count): accuracy for count, accuracy in sorted(breaking.tried.items())},
            "learned": {"clients": breaking.confirmed_at, "accuracy": breaking.learned},
        },
    }


class AuditedPolicy(NamedTuple):
    """A policy, and the accuracy that it left where policies were chosen."""

    policy: TrainedPolicy
    rehearsed: float


class Audit(NamedTuple):
    """A finished audit."""

    folder: Path
    effort: AuditPlan
    verdict: Verdict
    policies: Mapping[str, AuditedPolicy]
    """The policies by their labels; the verdict is on the one that left least where they were chosen."""
