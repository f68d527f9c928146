"""Multi-Krum (Blanchard et al., 2017, section 5): the mean of the updates with the best Krum scores."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.contracts import Count, DefenderView, Family, Memory
from sparring.defenses.aggregation.krum import check_malicious, krum_limit, krum_rows
from sparring.defenses.aggregation.toolkit.arithmetic import average
from sparring.defenses.aggregation.toolkit.counts import check_count, resolve_count
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def multi_krum(updates: Matrix, malicious: int, keep: int) -> Vector:
    """Average the `keep` rows with the lowest scores; rows are scored, dropped and counted as in Krum."""
    updates = check_matrix("multi_krum", updates)
    check_malicious("multi_krum", malicious, clients=len(updates))
    at_least(1, "multi_krum", keep=keep)
    if keep > len(updates) > 0:
        raise ConfigError(f"multi_krum: keep={keep} of {len(updates)} updates; use keep <= {len(updates)}")
    return average(updates, krum_rows(updates, malicious, keep=keep))


@dataclass(frozen=True)
class MultiKrum:
    r"""Average the `keep` best rows; a round with too few rows lowers both settings to fit.

    $$\frac{1}{m} \sum_{i \in S} u_i$$

    $S$ holds the $m$ updates (`keep`) with the lowest Krum scores $\sum_{j \in N_i} \lVert u_i - u_j \rVert^2$.
    """

    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    keep: int | None = None
    """Default: n - malicious - 2, the most for which Damaskinos et al. (2019, AggregaThor) state convergence."""
    family: ClassVar[Family] = "distance"
    paper: ClassVar[str] = (
        "Blanchard et al., 2017, Machine learning with adversaries: Byzantine tolerant gradient descent, NeurIPS"
    )
    cost: ClassVar[str] = "O(n^2 d)"
    assumption: ClassVar[str] = "n >= 2f + 3, and benign updates lie close together"

    def __post_init__(self) -> None:
        check_count("multi_krum", self.malicious)
        at_least(1, "multi_krum", keep=self.keep)

    def limit(self, clients: int) -> int:
        return krum_limit(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        clients = len(view.updates)
        malicious = resolve_count(self.malicious, view, limit=self.limit(clients))
        keep = clients - malicious - 2 if self.keep is None else self.keep
        rows = krum_rows(view.updates, malicious, keep=keep)
        view.note("selected", rows)
        return average(view.updates, rows), memory
