"""Krum (Blanchard et al., 2017): the update that is closest to its nearest neighbors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sparring.arrays import PUBLISHED, RELEASED, KrumScore, Matrix, Vector, finite_rows, squared_distances
from sparring.contracts import Count, DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import average
from sparring.defenses.aggregation.toolkit.counts import check_count, lower_by_dropped, resolve_count
from sparring.errors import ConfigError
from sparring.registry import ADDED_LATER
from sparring.validation import at_least, check_matrix

Variant = Literal["published", "released"]

SCORES: Mapping[Variant, KrumScore] = {"published": PUBLISHED, "released": RELEASED}


def krum(updates: Matrix, malicious: int, *, variant: Variant = "published") -> Vector:
    """Return the row with the smallest sum of squared distances to its n - `malicious` - 2 nearest other rows.

    Ties go to the first row. A non-finite row is dropped and counts as one of the malicious. With fewer than three
    rows the median is returned; zeros without rows.

    The variant `released` sums the distances, not their squares, to the n - `malicious` - 3 nearest other rows, as in
    the code that Li et al. (2022) released. It accepts any count; if no neighbors are left, it returns the first row.
    """
    updates = check_matrix("krum", updates)
    check_variant(variant)
    if variant == "published":
        check_malicious("krum", malicious, clients=len(updates))
    at_least(0, "krum", malicious=malicious)
    return average(updates, krum_rows(updates, malicious, keep=1, score=SCORES[variant]))


def krum_limit(clients: int) -> int:
    """Return the largest f with 2f + 2 < n, the condition of Blanchard et al., proposition 4.2."""
    return PUBLISHED.limit(clients)


def check_variant(variant: str) -> None:
    """Reject an unknown variant."""
    if variant not in SCORES:
        raise ConfigError(f"krum: variant={variant!r}; use one of: {', '.join(SCORES)}")


def check_malicious(rule: str, malicious: int, *, clients: int) -> None:
    """Reject a malicious count that Krum does not support with this number of clients."""
    at_least(0, rule, malicious=malicious)
    if clients > 0 and malicious > krum_limit(clients):
        raise ConfigError(
            f"{rule}: malicious={malicious} needs at least {2 * malicious + 3} updates, given {clients}; "
            f"use malicious <= {krum_limit(clients)}"
        )


def krum_rows(updates: Matrix, malicious: int, *, keep: int, score: KrumScore = PUBLISHED) -> list[int]:
    """Return the `keep` rows with the lowest scores, best first.

    With fewer than three finite rows the published form returns all of them, as the average of one or two is their
    median.
    """
    finite = finite_rows(updates).nonzero().flatten()
    if len(finite) < 3 and score.is_bounded:
        return finite.tolist()
    neighbors = score.neighbors(len(finite), lower_by_dropped(malicious, len(updates) - len(finite)))
    present = updates if len(finite) == len(updates) else updates[finite]
    scores = score.scores(squared_distances(present), neighbors)
    return finite[scores.argsort(stable=True)[:keep]].tolist()


@dataclass(frozen=True)
class Krum:
    r"""Select the row closest to its nearest neighbors; a round with too few rows lowers the assumed count.

    $$i^* = \mathrm{arg} \min_i \sum_{j \in N_i} \lVert u_i - u_j \rVert^2$$

    The result is $u_{i^*}$; $N_i$ holds the $n - f - 2$ updates nearest to $u_i$, for $n$ updates of which $f$ are
    malicious.

    The variant `released` follows the code that the authors of the RL attack released (Li et al., 2022): distances are
    not squared, the n - f - 3 nearest other rows count, any f is accepted, and if no neighbors are left the first row
    is selected. With `malicious=sampled` it is the rule of their experiments. It then selects f equal malicious rows
    regardless of their content if there are at least n / 2 - 1 and at most n - 4 of them: from 4 to 6 of 10.
    """

    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    variant: Variant = field(default="published", metadata=ADDED_LATER)
    """Form of the score: `published` by Blanchard et al., or `released` by Li et al."""
    family: ClassVar[Family] = "distance"
    paper: ClassVar[str] = (
        "Blanchard et al., 2017, Machine learning with adversaries: Byzantine tolerant gradient descent, NeurIPS"
    )
    cost: ClassVar[str] = "O(n^2 d)"
    assumption: ClassVar[str] = "n >= 2f + 3, and benign updates lie close together"

    def __post_init__(self) -> None:
        check_count("krum", self.malicious)
        check_variant(self.variant)

    @property
    def krum_score(self) -> KrumScore:
        """The form of the score."""
        return SCORES[self.variant]

    def limit(self, clients: int) -> int:
        return self.krum_score.limit(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        limit = self.limit(len(view.updates)) if self.krum_score.is_bounded else None
        malicious = resolve_count(self.malicious, view, limit=limit)
        rows = krum_rows(view.updates, malicious, keep=1, score=self.krum_score)
        view.note("selected", rows)
        return average(view.updates, rows), memory
