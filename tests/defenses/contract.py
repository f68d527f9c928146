"""What every aggregation rule must do: inherit `DefenseContract` and parametrize its `example`."""

from dataclasses import dataclass
from math import inf, nan

import pytest
import torch

from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.rules import CLOSE, DEFENSE_CHECKS, agreement_is_kept, answer, distance
from sparring.conformance.server import BENIGN, CLIENTS, HOSTILE, center, with_row
from sparring.contracts import Defense
from tests.matrices import gaussian

UNPROMISED = {
    "a row of NaN": with_row(nan),
    "one NaN": with_row(0.0, nan, 0.0, 0.0),
    "a row of Inf": with_row(inf),
    "a row of both Inf": with_row(inf, -inf),
    "nothing finite": torch.full((3, 4), nan),
    "nobody": BENIGN[:0],
}
"""Rounds that a server never shows to a rule, and for which ours have an answer all the same."""

UNCONDITIONAL = [check for check in DEFENSE_CHECKS if check is not agreement_is_kept]


@dataclass(frozen=True)
class Example:
    """A rule, and what its kind does beyond what all do."""

    rule: Defense
    translates: bool = True
    """Moving all updates moves the result as far."""
    scales: bool = True
    """Scaling all updates, the root update with them, scales the result."""
    agrees: bool = True
    """Where all updates are one, so is the result."""
    resists: bool = True
    """As many malicious rows as the rule's limit cannot carry the result away."""


def step(rule: Defense, updates: torch.Tensor, **seen: object) -> torch.Tensor:
    """Return the rule's answer in its first round."""
    return answer(rule, updates, **seen)[0]


class DefenseContract:
    """The tests of one `example`."""

    @pytest.mark.parametrize("check", UNCONDITIONAL, ids=format_check_name)
    def test_it_conforms(self, example: Example, check):
        assert failures(check, example.rule) == ()

    @pytest.mark.parametrize("malicious", [0, 2, CLIENTS, 10**6])
    def test_rows_that_are_not_finite_are_survived(self, example: Example, malicious: int):
        for updates in UNPROMISED.values():
            noted: list[int] = []
            moved, memory = answer(
                example.rule, updates, malicious=malicious, note=lambda event, rows, noted=noted: noted.extend(rows)
            )
            assert all(tensor.isfinite().all() for tensor in (moved, *memory.values()))
            assert set(noted) <= set(range(len(updates)))
            assert torch.equal(moved, answer(example.rule, updates, malicious=malicious)[0])

    @pytest.mark.parametrize("lost", [nan, inf, -inf])
    def test_a_row_that_is_not_finite_is_dropped_as_one_of_the_malicious(self, example: Example, lost: float):
        root = center(BENIGN)
        moved = step(example.rule, with_row(0.0, lost, lost, 1.0), malicious=3, root=lambda: root)
        assert distance(moved, step(example.rule, BENIGN, malicious=2)) <= CLOSE

    @pytest.mark.parametrize("name", ["nothing finite", "nobody"])
    def test_a_round_without_finite_rows_moves_nothing(self, example: Example, name: str):
        assert not step(example.rule, UNPROMISED[name]).any()

    def test_any_count_is_survived(self, example: Example):
        assert all(step(example.rule, updates, malicious=10**6).isfinite().all() for updates in HOSTILE.values())

    def test_of_nobody_no_one_is_malicious(self, example: Example):
        assert example.rule.limit(0) == 0

    def test_agreement_is_kept_where_the_rule_promises_it(self, example: Example):
        assert (failures(agreement_is_kept, example.rule) == ()) == example.agrees

    def test_a_common_offset_is_kept_where_the_rule_promises_it(self, example: Example):
        offset = 3 * gaussian(4, name="offset")
        expected = step(example.rule, BENIGN, malicious=2) + offset
        moved = step(example.rule, BENIGN + offset, malicious=2)
        assert (distance(moved, expected) < 1e-5) == example.translates

    @pytest.mark.parametrize("scale", [2.0**-40, 2.0**20, 2.0**100])
    def test_a_common_scale_is_kept_where_the_rule_promises_it(self, example: Example, scale: float):
        expected = step(example.rule, BENIGN, malicious=2)
        scaled = step(example.rule, scale * BENIGN, malicious=2) / scale
        assert (distance(scaled, expected) < 1e-5) == example.scales

    @pytest.mark.parametrize("size", [1e2, 1e8, 1e38])
    def test_malicious_rows_carry_away_only_rules_that_do_not_resist(self, example: Example, size: float):
        count = example.rule.limit(2 * CLIENTS) // 2
        crafted = torch.full((count, 4), size)
        root = BENIGN.mean(dim=0)
        carried = step(example.rule, torch.cat([BENIGN, crafted]), malicious=count, root=lambda: root)
        assert (carried.abs().max() <= BENIGN.abs().max()) == example.resists
