"""The verdict on a learned defense: is it better than the best constant action, and than the best fixed rule?"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from sparring.experiments.analysis.statistics import Comparison, Summary
from sparring.experiments.hardening.comparison import DefenseScores

LEARNED, CONSTANT, UNTRAINED = "policy", "constant", "untrained"
"""The labels of the defenses that a hardening makes; the others are rules."""
Choice = Literal["policy", "constant", "rule"]


class DefenseRow(NamedTuple):
    """A defense in the comparison."""

    name: str
    overall: Summary
    """Accuracy minus backdoor accuracy of the worst type, or the mean over types by the prior, over episodes."""
    worst: float
    worst_type: str
    regret: float
    """The largest difference to the best fixed rule against a type."""
    by_type: Mapping[str, Summary]


class HardeningVerdict(NamedTuple):
    """What the comparison shows."""

    table: DefenseScores
    rows: tuple[DefenseRow, ...]
    """All defenses, the best first; some rules have played one episode only."""
    best_rule: str
    over_constant: Comparison
    """The learned policy minus the best constant action, episode by episode."""
    over_rule: Comparison
    """The recommended of these two minus the best fixed rule."""
    recommended: str
    """The defense to use: the simplest that no other is better than."""

    def row(self, name: str) -> DefenseRow:
        """Return the row of a defense."""
        return next(row for row in self.rows if row.name == name)


def judge_hardening(table: DefenseScores, rules: Iterable[str]) -> HardeningVerdict:
    """Judge a comparison: a policy must be better than a constant action, and that better than a fixed rule.

    Better means that the interval of the paired difference lies above 0.
    """
    rules = list_finalists(table, rules)
    best = max(rules, key=lambda rule: table.overall(rule).mean)
    over_constant = table.difference(LEARNED, CONSTANT)
    learned = LEARNED if is_better(over_constant) else CONSTANT
    over_rule = table.difference(learned, best)
    rows = sorted((_make_row(table, name, rules) for name in table.scores), key=lambda row: -row.overall.mean)
    recommended = learned if is_better(over_rule) else best
    return HardeningVerdict(table, tuple(rows), best, over_constant, over_rule, recommended)


def list_finalists(table: DefenseScores, rules: Iterable[str]) -> tuple[str, ...]:
    """Return the rules that have played all episodes."""
    played = {name: min(map(len, rows.values())) for name, rows in table.scores.items()}
    return tuple(rule for rule in rules if played[rule] == max(played.values()))


def is_better(difference: Comparison) -> bool:
    """Say whether the interval of a difference lies above 0."""
    return difference.low is not None and difference.low > 0


def _make_row(table: DefenseScores, name: str, rules: Iterable[str]) -> DefenseRow:
    worst_type, worst = table.worst(name)
    by_type = {kind: table.row(name, kind) for kind in table.weights}
    return DefenseRow(name, table.overall(name), worst, worst_type, table.regret(name, rules), by_type)


def verdict_to_json(verdict: HardeningVerdict) -> dict[str, Any]:
    """Return a verdict in the form of its JSON."""
    return {
        "recommended": verdict.recommended,
        "best_rule": verdict.best_rule,
        "over_constant": verdict.over_constant._asdict(),
        "over_rule": verdict.over_rule._asdict(),
        "defenses": [
            {
                **row._asdict(),
                "overall": row.overall._asdict(),
                "by_type": {kind: summary._asdict() for kind, summary in row.by_type.items()},
            }
            for row in verdict.rows
        ],
    }
