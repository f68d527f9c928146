"""The result of an audit: its folder, its plan, its policies and its verdict."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.claims import Above, Finding, judge_statement
from sparring.experiments.analysis.frames import by_seed, metric_bounds
from sparring.experiments.analysis.statistics import SMALLEST_GAP, Comparison, Summary, name_method, summarize
from sparring.experiments.audit.budget import AuditPlan
from sparring.experiments.audit.goals import BACKDOOR, GOALS, UNTARGETED, Goal, GoalName
from sparring.experiments.audit.references import ReferenceRow
from sparring.experiments.audit.request import NO_ATTACK
from sparring.experiments.audit.training import TrainedPolicy
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED

METRIC = "accuracy"
HALVED = "halved_by"
"""The key of the clients that break the rule: that halve the accuracy, or hit half of the triggered images."""


class AuditCell(NamedTuple):
    """An attack, and the remaining accuracy under it, or another metric."""

    attack: str
    summary: Summary
    parts: Mapping[str, Summary] = MappingProxyType({})
    """What the metric consists of, by name: the accuracy and the backdoor accuracy."""


class Breaking(NamedTuple):
    """The number of clients with which the worst hand-crafted attack halves the clean accuracy, and the learned one."""

    tried: Mapping[int, float]
    """The mean remaining accuracy, or backdoor accuracy, by number of malicious clients."""
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
    """Whether the accuracy under the hand-crafted attack exceeds that under the learned one.

    With a backdoor, whether the score of the learned attack exceeds that of the hand-crafted one.
    """
    breaking: Breaking
    ranking: tuple[AuditCell, ...]
    """All attacks, and no attack, with the strongest in the mean first."""
    goal: GoalName = UNTARGETED.name
    references: tuple[ReferenceRow, ...] = ()
    """The audited rule and the reference rules on a few common seeds; empty if there are none."""

    @property
    def difference(self) -> Comparison:
        """The paired difference of the accuracies under the hand-crafted and the learned attack."""
        assert self.gap.comparison is not None
        return self.gap.comparison


def find_worst(runs: pd.DataFrame, attacks: Iterable[str], *, goal: Goal = UNTARGETED) -> AuditCell:
    """Return the attack that is strongest in the mean over seeds; among equal ones, the first."""
    cells = rank_attacks(runs, attacks, goal=goal)
    if not cells:
        raise RunError("no hand-crafted attack is complete; the folder of the audit lists the failures")
    return cells[0]


def rank_attacks(runs: pd.DataFrame, attacks: Iterable[str], *, goal: Goal = UNTARGETED) -> list[AuditCell]:
    """Return the attacks that have a complete run, with the strongest in the mean over seeds first."""
    cells = (
        measure_attack(runs, attack, goal=goal)
        for attack in attacks
        if by_seed(runs, {ATTACK: attack}, metric=goal.metric)
    )
    return sorted(cells, key=lambda cell: -goal.strength(cell.summary.mean))


def remaining_accuracy(runs: pd.DataFrame, attack: str, *, metric: str = METRIC) -> AuditCell:
    """Return the remaining accuracy under an attack, or another metric."""
    return AuditCell(
        attack, summarize(list(by_seed(runs, {ATTACK: attack}, metric=metric).values()), **metric_bounds(metric))
    )


def measure_attack(runs: pd.DataFrame, attack: str, *, goal: Goal) -> AuditCell:
    """Return an attack in the metric of a goal, with the parts of that metric."""
    cell = remaining_accuracy(runs, attack, metric=goal.metric)
    if goal is not BACKDOOR:
        return cell
    return cell._replace(
        parts={metric: remaining_accuracy(runs, attack, metric=metric).summary for metric in (METRIC, goal.broken)}
    )


def compare_rules(
    runs: pd.DataFrame, references: pd.DataFrame, verdict: AuditVerdict, *, rule: str
) -> tuple[ReferenceRow, ...]:
    """Return the audited rule and the reference rules under the attacks of a verdict, on the references' seeds."""
    goal, attacks = GOALS[verdict.goal], (NO_ATTACK, verdict.crafted.attack, verdict.learned.attack)
    own = runs[runs[SEED].isin(references[SEED])]
    rules = {rule: own} | {
        str(name): references[references[DEFENSE] == name].drop(columns=DEFENSE)
        for name in references[DEFENSE].cat.categories
    }
    cells = {
        name: [next(iter(rank_attacks(some, [each], goal=goal)), None) for each in attacks]
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
    gap: float = SMALLEST_GAP,
    goal: Goal = UNTARGETED,
) -> AuditVerdict:
    """Compare the worst hand-crafted attack with the learned one on common seeds; `gap` is the smallest that counts."""
    pair = ({ATTACK: crafted.attack}, {ATTACK: learned})
    first, second = pair[::-1] if goal.is_raised else pair
    compared = judge_statement(Above(first, second, metric=goal.metric), runs, gap=gap)
    ranking = tuple(rank_attacks(runs, runs[ATTACK].cat.categories, goal=goal))
    clean, cell = remaining_accuracy(runs, NO_ATTACK).summary, measure_attack(runs, learned, goal=goal)
    return AuditVerdict(clean, crafted, cell, compared, breaking, ranking, goal.name)


def verdict_to_json(verdict: AuditVerdict) -> dict[str, Any]:
    """Return a verdict in the form of its JSON file."""
    gap, breaking, goal = verdict.difference, verdict.breaking, GOALS[verdict.goal]
    return {
        **({} if goal is UNTARGETED else {"goal": goal.name, "metric": goal.metric}),
        "clean": verdict.clean._asdict(),
        "crafted": _cell_to_json(verdict.crafted),
        "learned": _cell_to_json(verdict.learned),
        "gap": {
            **gap._asdict(),
            "interval": name_method(gap.n),
            "smallest": verdict.gap.gap,
            "verdict": verdict.gap.verdict,
            "reading": verdict.gap.reading,
        },
        HALVED: {
            "clients": breaking.clients,
            "attack": verdict.crafted.attack,
            "tried": {str(count): accuracy for count, accuracy in sorted(breaking.tried.items())},
            "learned": {"clients": breaking.confirmed_at, goal.broken: breaking.learned},
        },
        "attacks": [_cell_to_json(cell) for cell in verdict.ranking],
        "references": _references_to_json(verdict),
    }


def _cell_to_json(cell: AuditCell) -> dict[str, Any]:
    parts = {name: summary._asdict() for name, summary in cell.parts.items()}
    return {"attack": cell.attack, **cell.summary._asdict(), **parts}


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
