from math import fsum

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring import arrays
from sparring.defenses.aggregation.toolkit.arithmetic import average, columnwise, inner_mean, weighted_sum
from tests.matrices import gaussian, matrices

HUGE = torch.finfo(torch.float32).max
TINY = torch.finfo(torch.float32).smallest_normal / 2


def same_bytes(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one.view(torch.int32), other.view(torch.int32))


def reference(updates: torch.Tensor, trim: int) -> torch.Tensor:
    """Return the inner means of sorted columns, each sum rounded once."""
    columns = [sorted(column)[trim : len(updates) - trim] for column in updates.double().T.tolist()]
    return torch.tensor([fsum(column) / len(column) for column in columns], dtype=torch.float64).float()


@given(matrices(), st.data())
def test_inner_means_equal_those_of_sorted_columns(updates, data):
    trim = data.draw(st.integers(0, (len(updates) - 1) // 2))
    torch.testing.assert_close(inner_mean(updates, trim), reference(updates, trim), rtol=3e-7, atol=1e-30)


@pytest.mark.parametrize("clients", [2, 31, 64, 65, 200, 1000])
def test_any_number_of_rows_is_sorted(clients):
    updates, trim = gaussian(clients, 40), (clients - 1) // 2
    assert torch.equal(inner_mean(updates, trim), reference(updates, trim))


def test_the_largest_and_the_smallest_numbers_are_kept():
    updates = torch.tensor([[HUGE, -HUGE, TINY], [HUGE, -HUGE, 3 * TINY], [HUGE, HUGE, 2 * TINY]])
    assert inner_mean(updates, 0).tolist() == reference(updates, 0).tolist()
    assert inner_mean(updates, 1).tolist() == [HUGE, -HUGE, 2 * TINY]


def test_both_zeros_are_one_number():
    updates = torch.tensor([[0.0], [-0.0], [-0.0]])
    medians = [inner_mean(updates[order], 1) for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0])]
    assert all(same_bytes(each, torch.zeros(1)) for each in medians)


@pytest.mark.parametrize("clients", [10, 67])
@pytest.mark.parametrize("trim", [0, 3])
def test_neither_the_rows_order_nor_blocks_nor_threads_change_a_byte(clients, trim, threads, monkeypatch):
    updates = gaussian(clients, 3001) * 10.0 ** gaussian(clients, 3001, name="sizes")
    whole = inner_mean(updates, trim)
    assert same_bytes(inner_mean(updates.flip(0), trim), whole)
    for cells, number in ((700, 1), (9_999, 3), (1, 2)):
        monkeypatch.setattr(arrays, "CELLS", cells)
        threads(number)
        assert same_bytes(inner_mean(updates, trim), whole)


def test_neither_blocks_nor_threads_change_a_byte_of_a_weighted_sum(threads, monkeypatch):
    updates, weights = gaussian(9, 3001), gaussian(9, name="weights").double()
    whole = weighted_sum(weights, updates)
    monkeypatch.setattr(arrays, "CELLS", 1000)
    threads(3)
    assert same_bytes(weighted_sum(weights, updates), whole)


def test_weighted_sums_are_taken_in_float64():
    weights = torch.tensor([1e8, 1.0, -1e8], dtype=torch.float64)
    assert weighted_sum(weights, torch.ones(3, 2)).tolist() == [1, 1]


def test_a_sum_too_large_for_its_type_is_the_largest_number():
    assert weighted_sum(torch.tensor([2.0, 2.0]).double(), torch.tensor([[HUGE, -HUGE]] * 2)).tolist() == [HUGE, -HUGE]


def test_a_row_of_weight_zero_may_hold_anything():
    updates = torch.tensor([[1.0, 2.0], [torch.nan, torch.inf]])
    assert weighted_sum(torch.tensor([3.0, 0.0]).double(), updates).tolist() == [3, 6]


def test_what_is_not_finite_stays_visible():
    assert weighted_sum(torch.ones(2).double(), torch.tensor([[1.0], [torch.nan]])).isnan().all()


def test_some_rows_are_averaged():
    updates = torch.tensor([[1.0, 2.0], [torch.nan, 0.0], [5.0, -4.0]])
    assert average(updates, [0, 2]).tolist() == [3, -1]
    assert average(updates, []).tolist() == [0, 0]


@pytest.mark.parametrize("rule", [lambda rows: inner_mean(rows, 1), lambda rows: average(rows, [0, 3])])
def test_any_layout_in_memory_is_read(rule):
    updates = gaussian(5, 60)
    assert torch.equal(rule(updates[:, 7:31]), rule(updates)[7:31])
    assert torch.equal(rule(updates.T.contiguous().T), rule(updates))
    assert torch.equal(rule(updates[:1].expand(5, -1)), updates[0])


def test_a_statistic_is_applied_to_every_block(monkeypatch):
    updates = gaussian(4, 100)
    monkeypatch.setattr(arrays, "CELLS", 50)
    assert torch.equal(columnwise(lambda block: block.amax(dim=0), updates), updates.amax(dim=0))
