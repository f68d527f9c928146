"""Coordinate-wise trimmed mean (Yin et al., 2018)."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector
from sparring.contracts import Count, DefenderView, Family, Memory
from sparring.defenses.aggregation.toolkit.arithmetic import drop_non_finite, inner_mean
from sparring.defenses.aggregation.toolkit.counts import check_count, lower_by_dropped, minority, resolve_count
from sparring.errors import ConfigError
from sparring.validation import at_least, check_matrix


def trimmed_mean(updates: Matrix, trim: int) -> Vector:
    """Average each coordinate without its `trim` smallest and `trim` largest values; return zeros if there are no rows.

    Non-finite rows are dropped, and `trim` is lowered by their number.
    """
    updates = check_matrix("trimmed_mean", updates)
    at_least(0, "trimmed_mean", trim=trim)
    clients = len(updates)
    if clients > 0 and trim > minority(clients):
        raise ConfigError(
            f"trimmed_mean: trim={trim} leaves no update of {clients} clients; use trim <= {minority(clients)}"
        )
    rows = drop_non_finite(updates)
    return inner_mean(rows, trim=lower_by_dropped(trim, clients - len(rows)))


@dataclass(frozen=True)
class TrimmedMean:
    r"""Trim as many values on each side as rows are assumed malicious; in a small round at least one value remains.

    $$\frac{1}{n - 2f} \sum_{i=f+1}^{n-f} u_{(i)k} \quad \text{for each coordinate } k$$

    $u_{(1)k} \le \ldots \le u_{(n)k}$ are the values of coordinate $k$ in order, and $f$ is the malicious count.
    """

    malicious: Count | None = None
    """Overrides the threat model's count; `sampled` is the true count of each round, an oracle."""
    family: ClassVar[Family] = "coordinate"
    paper: ClassVar[str] = (
        "Yin et al., 2018, Byzantine-robust distributed learning: towards optimal statistical rates, ICML"
    )
    cost: ClassVar[str] = "O(n d log n)"
    assumption: ClassVar[str] = "at most f updates are malicious, and they are a minority"

    def __post_init__(self) -> None:
        check_count("trimmed_mean", self.malicious)

    def limit(self, clients: int) -> int:
        return minority(clients)

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        trim = resolve_count(self.malicious, view, limit=self.limit(len(view.updates)))
        return trimmed_mean(view.updates, trim), memory
