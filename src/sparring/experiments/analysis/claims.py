"""Claims of a paper about its results, in words and in code, and whether measured results confirm them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from sparring.experiments.analysis.frames import Labels, by_seed, format_cell
from sparring.experiments.analysis.statistics import (
    FEWEST_TO_DECIDE,
    SMALLEST_GAP,
    Comparison,
    Reading,
    compare,
    interpret,
)

Verdict = Literal["holds", "does not hold", "undecided", "not judged"]

UNJUDGED_SCALE = "smoke"


@dataclass(frozen=True)
class Least:
    """The minimum of several cells for each seed, such as the accuracy under the worst of several attacks."""

    cells: tuple[Labels, ...]


Side = Labels | Least | float
"""One side of a comparison: a cell, the minimum of several cells, or a number."""


@dataclass(frozen=True)
class Above:
    """The statement that the mean over seeds of `first` exceeds that of `second` by more than `margin`.

    The default margin is the smallest difference that counts, and zero where one side is a number.
    """

    first: Side
    second: Side
    metric: str = "accuracy"
    margin: float | None = None

    @property
    def cells(self) -> tuple[Labels, ...]:
        """The cells that the statement refers to."""
        return (*_cells(self.first), *_cells(self.second))

    def threshold(self, gap: float) -> float:
        """Return the margin by which `first` must exceed `second`; `gap` is the smallest difference that counts."""
        if self.margin is not None:
            return self.margin
        has_number = isinstance(self.first, int | float) or isinstance(self.second, int | float)
        return 0.0 if has_number else gap


@dataclass(frozen=True)
class AnyOf:
    """The statement that at least one of several statements is true."""

    statements: tuple[Above, ...]

    @property
    def cells(self) -> tuple[Labels, ...]:
        """The cells that the statement refers to."""
        return tuple(cell for statement in self.statements for cell in statement.cells)


Statement = Above | AnyOf


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, and the statements that must all hold for it."""

    words: str
    statements: tuple[Statement, ...] = ()
    needs: str = ""
    """What is missing where there are no statements yet, such as a player that must be trained first."""


class Finding(NamedTuple):
    """The judgment of one statement, or its missing cells.

    The finding of `AnyOf` has no comparison, but a finding for each of its statements.
    """

    statement: Statement
    verdict: Verdict
    comparison: Comparison | None = None
    missing: tuple[Labels, ...] = ()
    among: tuple["Finding", ...] = ()
    gap: float = SMALLEST_GAP
    """The smallest difference that counts."""

    @property
    def reading(self) -> Reading:
        """The reading of the difference's interval, independent of the statement."""
        return "undecided" if self.comparison is None else interpret(self.comparison, self.gap)


class Judgment(NamedTuple):
    """The judgment of a claim; `reason` explains why a claim is not judged."""

    claim: Claim
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.verdict}: {self.claim.words}{reason}"


def judge_claim(claim: Claim, runs: pd.DataFrame, *, scale: str | None = None, gap: float = SMALLEST_GAP) -> Judgment:
    """Judge a claim by the paired intervals of its statements; the smoke scale is never judged."""
    if not claim.statements:
        return Judgment(claim, "not judged", reason=f"needs {claim.needs}")
    spared = skip_judgment(claim, scale)
    if spared is not None:
        return spared
    findings = tuple(judge_statement(statement, runs, gap=gap) for statement in claim.statements)
    verdict = combine_verdicts(finding.verdict for finding in findings)
    missing = [format_cell(cell) for finding in findings for cell in finding.missing]
    return Judgment(claim, verdict, findings, _describe_missing(missing) if verdict == "not judged" else "")


def skip_judgment(claim: Claim, scale: str | None) -> Judgment | None:
    """Return the judgment of a claim at a scale at which nothing is judged, else None."""
    if scale != UNJUDGED_SCALE:
        return None
    return Judgment(claim, "not judged", reason=f"the {scale} scale only shows that everything runs")


def combine_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on statements that must all hold: one that does not hold decides, whatever is missing."""
    return _first(("does not hold", "not judged", "undecided", "holds"), verdicts)


def combine_alternatives(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on statements of which one must hold: one that holds decides, even if others are missing."""
    return _first(("holds", "not judged", "undecided", "does not hold"), verdicts)


def _first(order: tuple[Verdict, ...], verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first verdict in this order that occurs; if there is none, the last in this order."""
    given = set(verdicts)
    return next((verdict for verdict in order if verdict in given), order[-1])


def judge_statement(statement: Statement, runs: pd.DataFrame, *, gap: float = SMALLEST_GAP) -> Finding:
    """Judge a statement by the results; `gap` is the smallest difference that counts."""
    return (
        _judge_alternatives(statement, runs, gap=gap)
        if isinstance(statement, AnyOf)
        else _judge_comparison(statement, runs, gap=gap)
    )


def _judge_alternatives(statement: AnyOf, runs: pd.DataFrame, *, gap: float) -> Finding:
    """Judge each of several statements; missing cells are reported only where they could change the verdict."""
    among = tuple(_judge_comparison(each, runs, gap=gap) for each in statement.statements)
    verdict = combine_alternatives(finding.verdict for finding in among)
    missing = tuple(cell for finding in among for cell in finding.missing) if verdict == "not judged" else ()
    return Finding(statement, verdict, missing=missing, among=among, gap=gap)


def _judge_comparison(statement: Above, runs: pd.DataFrame, *, gap: float) -> Finding:
    """Compare the two sides of a statement on their common seeds."""
    missing = tuple(cell for cell in statement.cells if not by_seed(runs, cell, metric=statement.metric))
    if missing:
        return Finding(statement, "not judged", missing=missing, gap=gap)
    first, second = (_by_seed(side, runs, metric=statement.metric) for side in (statement.first, statement.second))
    if not first.keys() & second.keys():
        return Finding(statement, "undecided", gap=gap)
    comparison = compare(first, second)
    return Finding(statement, judge_difference(comparison, statement.threshold(gap)), comparison, gap=gap)


def judge_difference(comparison: Comparison, threshold: float) -> Verdict:
    """Decide whether a difference exceeds a threshold: by the side of it on which the whole interval lies."""
    low, high = comparison.low, comparison.high
    if low is None or high is None or comparison.n < FEWEST_TO_DECIDE:
        return "undecided"
    if low > threshold:
        return "holds"
    return "does not hold" if high <= threshold else "undecided"


def _cells(side: Side) -> tuple[Labels, ...]:
    if isinstance(side, Least):
        return side.cells
    return () if isinstance(side, int | float) else (side,)


def _by_seed(side: Side, runs: pd.DataFrame, *, metric: str) -> dict[int, float]:
    """Return the value of a side for each seed: the minimum of several cells, or the number itself."""
    if isinstance(side, int | float):
        return dict.fromkeys(runs["seed"].tolist(), side)
    cells = [by_seed(runs, cell, metric=metric) for cell in _cells(side)]
    return {seed: min(cell[seed] for cell in cells) for seed in set.intersection(*map(set, cells))}


def _describe_missing(missing: list[str]) -> str:
    more = f" and {len(missing) - 1} more cells" if len(missing) > 1 else ""
    return f"no results for {missing[0]}{more}"
