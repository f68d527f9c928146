"""What a paper claims of its results, in words and in code, and whether ours bear it out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from sparring.experiments.statistics import Comparison, compare
from sparring.experiments.tables import Labels, by_seed, named

Verdict = Literal["holds", "does not hold", "undecided", "not judged"]

UNJUDGED_SCALE = "smoke"
FEWEST = 3
"""Common seeds below which nothing is decided."""


@dataclass(frozen=True)
class Least:
    """The least of several cells, seed by seed, such as what the worst of several attacks leaves."""

    cells: tuple[Labels, ...]


Side = Labels | Least | float
"""What a statement compares: a cell, the least of several, or a number."""


@dataclass(frozen=True)
class Above:
    """That `first` is more than `second`, and by more than `margin`, in the mean over seeds."""

    first: Side
    second: Side
    metric: str = "accuracy"
    margin: float = 0.0

    @property
    def cells(self) -> tuple[Labels, ...]:
        """The cells that it speaks of."""
        return (*_cells(self.first), *_cells(self.second))


@dataclass(frozen=True)
class Claim:
    """What the paper says, and the statements that must all hold for it."""

    words: str
    statements: tuple[Above, ...] = ()
    needs: str = ""
    """What is missing where there are no statements yet, such as a player that has to be trained first."""


class Finding(NamedTuple):
    """What the results say of one statement, or which of its cells are missing."""

    statement: Above
    verdict: Verdict
    comparison: Comparison | None
    missing: tuple[Labels, ...] = ()


class Judgment(NamedTuple):
    """What the results say of a claim; `reason` says why it is not judged."""

    claim: Claim
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.verdict}: {self.claim.words}{reason}"


def judged(claim: Claim, runs: pd.DataFrame, *, scale: str | None = None) -> Judgment:
    """Judge a claim by the paired intervals of its statements; the smoke scale is never judged."""
    if not claim.statements:
        return Judgment(claim, "not judged", reason=f"needs {claim.needs}")
    if scale == UNJUDGED_SCALE:
        return Judgment(claim, "not judged", reason=f"the {scale} scale only shows that everything can be played")
    findings = tuple(found(statement, runs) for statement in claim.statements)
    verdict = together(finding.verdict for finding in findings)
    missing = [named(cell) for finding in findings for cell in finding.missing]
    return Judgment(claim, verdict, findings, _lack(missing) if verdict == "not judged" else "")


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on statements of which all must hold: one that does not decides, whatever is missing."""
    given = set(verdicts)
    decisive: tuple[Verdict, ...] = ("does not hold", "not judged", "undecided")
    return next((verdict for verdict in decisive if verdict in given), "holds")


def found(statement: Above, runs: pd.DataFrame) -> Finding:
    """Compare the two sides of a statement on their common seeds."""
    missing = tuple(cell for cell in statement.cells if not by_seed(runs, cell, metric=statement.metric))
    if missing:
        return Finding(statement, "not judged", None, missing)
    first, second = (_by_seed(side, runs, metric=statement.metric) for side in (statement.first, statement.second))
    if not first.keys() & second.keys():
        return Finding(statement, "undecided", None)
    comparison = compare(first, second)
    return Finding(statement, _verdict(comparison, statement.margin), comparison)


def _verdict(comparison: Comparison, margin: float) -> Verdict:
    """Decide by which side of the margin the whole interval lies on."""
    low, high = comparison.low, comparison.high
    if low is None or high is None or comparison.n < FEWEST:
        return "undecided"
    if low > margin:
        return "holds"
    return "does not hold" if high <= margin else "undecided"


def _cells(side: Side) -> tuple[Labels, ...]:
    if isinstance(side, Least):
        return side.cells
    return () if isinstance(side, int | float) else (side,)


def _by_seed(side: Side, runs: pd.DataFrame, *, metric: str) -> dict[int, float]:
    """Return the value of a side for each seed: of several cells the least, of a number itself."""
    if isinstance(side, int | float):
        return dict.fromkeys(runs["seed"].tolist(), side)
    cells = [by_seed(runs, cell, metric=metric) for cell in _cells(side)]
    return {seed: min(cell[seed] for cell in cells) for seed in set.intersection(*map(set, cells))}


def _lack(missing: list[str]) -> str:
    more = f" and of {len(missing) - 1} more cells" if len(missing) > 1 else ""
    return f"there are no results of {missing[0]}{more}"
