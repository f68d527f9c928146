"""Bucketing (Karimireddy et al., 2022): apply any rule to averages of randomly drawn groups of updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sparring.arrays import Matrix, Vector, finite_rows
from sparring.contracts import DefenderView, Defense, Family, Memory, family_of, limit_of
from sparring.defenses.aggregation.toolkit.arithmetic import average
from sparring.defenses.aggregation.toolkit.client_memory import refuse_per_client
from sparring.defenses.aggregation.toolkit.counts import lower_by_dropped
from sparring.random import Generator
from sparring.validation import at_least, check_matrix


def bucketing(updates: Matrix, size: int, *, rng: Generator) -> Matrix:
    """Shuffle the finite rows into buckets of `size`, the last of which may be smaller, and average each bucket."""
    updates = check_matrix("bucketing", updates)
    at_least(1, "bucketing", size=size)
    return _averages(updates, _buckets(finite_rows(updates).nonzero().flatten().tolist(), size, rng=rng))


def _buckets(rows: Sequence[int], size: int, *, rng: Generator) -> list[list[int]]:
    shuffled = [rows[index] for index in rng.permutation(len(rows))]
    return [shuffled[start : start + size] for start in range(0, len(rows), size)]


def _averages(updates: Matrix, buckets: Sequence[Sequence[int]]) -> Matrix:
    averages = updates.new_empty(len(buckets), updates.shape[1])
    for index, bucket in enumerate(buckets):
        averages[index] = average(updates, bucket)
    return averages


@dataclass(frozen=True)
class Bucketing:
    r"""Average the updates in buckets of `size`, drawn at random in each round, before `inner` aggregates the averages.

    $$\bar u_b = \frac{1}{s} \sum_{i \in B_b} u_i$$

    $B_b$ is a bucket, and $s$ its `size`.

    A malicious row contaminates at most one bucket, so `inner` assumes the same number of malicious rows. A bucket has
    no client: `inner` gets the bucket's index as the client id, and a rule with per-client memory is rejected.
    """

    inner: Defense
    """The rule that aggregates the averages of the buckets."""
    size: int = 2
    """Updates per bucket, the published s."""
    paper: ClassVar[str] = (
        "Karimireddy et al., 2022, Byzantine-robust learning on heterogeneous datasets via bucketing, ICLR"
    )
    cost: ClassVar[str] = "O(n d), and the inner rule on one row for each bucket"
    assumption: ClassVar[str] = "so few updates are malicious that most buckets have none"

    def __post_init__(self) -> None:
        at_least(1, "bucketing", size=self.size)
        refuse_per_client("bucketing", self.inner)

    @property
    def family(self) -> Family:
        return family_of(self.inner)

    def limit(self, clients: int) -> int:
        return limit_of(self.inner, -(-clients // self.size))

    def aggregate(self, view: DefenderView, memory: Memory) -> tuple[Vector, Memory]:
        # Sorted by client id, so that the order in which updates arrive has no effect.
        rows = sorted(finite_rows(view.updates).nonzero().flatten().tolist(), key=lambda row: view.clients[row])
        buckets = _buckets(rows, self.size, rng=view.rng)

        def note(event: str, indices: Sequence[int]) -> None:
            view.note(event, [row for index in indices for row in buckets[index]])

        bucketed = view._replace(
            updates=_averages(view.updates, buckets),
            clients=tuple(range(len(buckets))),
            malicious=lower_by_dropped(view.malicious, len(view.updates) - len(rows)),
            note=note,
        )
        return self.inner.aggregate(bucketed, memory)
