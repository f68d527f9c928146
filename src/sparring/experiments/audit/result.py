"""The result of an audit: its folder, its plan, its policies and its verdict."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.claims import Above, Finding, judge_statement
from sparring.experiments.analysis.frames import by_seed, metric_bounds
from sparring.experiments.analysis.statistics import SMALLEST_GAP, Comparison, Summary, name_method, summarize
from sparring.experiments.audit.budget import AuditPlan
from sparring.experiments.audit.references import ReferenceRow
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.training import TrainedPolicy
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED

METRIC = "accuracy"


class AuditCell(NamedTuple):
    """An attack, and the remaining accuracy under it."""

    attack: str
    summary: Summary


class Breaking(NamedTuple):
    """The number of clients with which the worst hand-crafted attack halves the clean accuracy, and the learned one."""

    tried: Mapping[int, float]
    """The mean remaining accuracy by number of malicious clients."""
    clients: int | None
    """The smallest number that halves the accuracy; None if the largest tried number does not."""
    learned: float
    """The remaining accuracy under the learned attack with that number, or with the largest tried number."""

    @property
    def confirmed_at(self) -> int:
        """The number of clients with which the learned attack was run."""
        return max(self.tried) if self.clients is None else self.clients


class AuditVerdict(NamedTuple):
    """The rule without an attack, under the worst hand-crafted attack, and under the learned one."""

    clean: Summary
    crafted: AuditCell
    learned: AuditCell
    gap: Finding
    """Whether the accuracy under the hand-crafted attack exceeds that under the learned one."""
    breaking: Breaking
    ranking: tuple[AuditCell, ...]
    """All attacks, and no attack, with the lowest mean accuracy first."""
    references: tuple[ReferenceRow, ...] = ()
    """The audited rule and the reference rules on a few common seeds; empty if there are none."""

    @property
    def difference(self) -> Comparison:
        """The paired difference of the accuracies under the hand-crafted and the learned attack."""
        assert self.gap.comparison is not None
        return self.gap.comparison


def find_worst(runs: pd.DataFrame, attacks: Iterable[str]) -> AuditCell:
    """Return the attack with the lowest mean accuracy over seeds; among equal ones, the first."""
    cells = rank_attacks(runs, attacks)
    if not cells:
        raise RunError("no hand-crafted attack is complete; the folder of the audit lists the failures")
    return cells[0]


def rank_attacks(runs: pd.DataFrame, attacks: Iterable[str]) -> list[AuditCell]:
    """Return the attacks that have a complete run, with the lowest mean accuracy over seeds first."""
    cells = (remaining_accuracy(runs, attack) for attack in attacks if by_seed(runs, {ATTACK: attack}, metric=METRIC))
    return sorted(cells, key=lambda cell: cell.summary.mean)


def remaining_accuracy(runs: pd.DataFrame, attack: str) -> AuditCell:
    """Return the remaining accuracy under an attack."""
    return AuditCell(
        attack, summarize(list(by_seed(runs, {ATTACK: attack}, metric=METRIC).values()), **metric_bounds(METRIC))
    )


def compare_rules(
    runs: pd.DataFrame, references: pd.DataFrame, *, rule: str, crafted: str, learned: str
) -> tuple[ReferenceRow, ...]:
    """Return the audited rule and the reference rules under no attack and two others, on the references' seeds."""
    own = runs[runs[SEED].isin(references[SEED])]
    rules = {rule: own} | {
        str(name): references[references[DEFENSE] == name].drop(columns=DEFENSE)
        for name in references[DEFENSE].cat.categories
    }
    cells = {
        name: [next(iter(rank_attacks(some, [each])), None) for each in (NO_ATTACK, crafted, learned)]
        for name, some in rules.items()
    }
    return tuple(
        ReferenceRow(name, *(None if cell is None else cell.summary for cell in row)) for name, row in cells.items()
    )


def judge(
    runs: pd.DataFrame,
    crafted: AuditCell,
    *,
    learned: str,
    breaking: Breaking,
    references: tuple[ReferenceRow, ...] = (),
    gap: float = SMALLEST_GAP,
) -> AuditVerdict:
    """Compare the worst hand-crafted attack with the learned one on common seeds; `gap` is the smallest that counts."""
    statement = Above({ATTACK: crafted.attack}, {ATTACK: learned}, metric=METRIC)
    compared = judge_statement(statement, runs, gap=gap)
    ranking = tuple(rank_attacks(runs, runs[ATTACK].cat.categories))
    clean, cell = remaining_accuracy(runs, NO_ATTACK).summary, remaining_accuracy(runs, learned)
    return AuditVerdict(clean, crafted, cell, compared, breaking, ranking, references)


def verdict_to_json(verdict: AuditVerdict) -> dict[str, Any]:
    """Return a verdict in the form of its JSON file."""
    gap, breaking = verdict.difference, verdict.breaking
    return {
        "clean": verdict.clean._asdict(),
        "crafted": {"attack": verdict.crafted.attack, **verdict.crafted.summary._asdict()},
        "learned": {"attack": verdict.learned.attack, **verdict.learned.summary._asdict()},
        "gap": {
            **gap._asdict(),
            "interval": name_method(gap.n),
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
        "attacks": [{"attack": cell.attack, **cell.summary._asdict()} for cell in verdict.ranking],
        "references": _references_to_json(verdict),
    }


def _references_to_json(verdict: AuditVerdict) -> list[dict[str, Any]]:
    """Return the audited rule and the reference rules under the same attacks."""
    names = {"clean": NO_ATTACK, "crafted": verdict.crafted.attack, "learned": verdict.learned.attack}
    return [
        {
            "rule": row.rule,
            "audited": row is verdict.references[0],
            **{
                key: None if summary is None else {"attack": names[key], **summary._asdict()}
                for key, summary in zip(names, row[1:], strict=True)
            },
        }
        for row in verdict.references
    ]


class Audit(NamedTuple):
    """A finished audit."""

    folder: Path
    effort: AuditPlan
    verdict: AuditVerdict
    policies: Mapping[str, TrainedPolicy]
    """The policies by label; the verdict is on the one with the largest error in the common training episodes."""
