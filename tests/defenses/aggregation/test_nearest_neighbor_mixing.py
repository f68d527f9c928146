from math import inf, nan

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.arrays import column_blocks
from sparring.defenses import Krum, Mean, NearestNeighborMixing, TrimmedMean, nearest_neighbor_mixing, trimmed_mean
from sparring.errors import ConfigError
from tests.defenses.views import Notes, view
from tests.matrices import gaussian, matrices


def brute_force(updates: torch.Tensor, malicious: int) -> torch.Tensor:
    rows = updates.double()
    nearest = [sorted(rows, key=lambda other: (other - row).square().sum().item()) for row in rows]
    return torch.stack([torch.stack(others[: len(rows) - malicious]).mean(dim=0) for others in nearest])


def test_rows_are_averaged_with_their_nearest():
    updates = torch.tensor([[0.0], [1.0], [4.0], [100.0]])
    assert nearest_neighbor_mixing(updates, 1).flatten().tolist() == pytest.approx([5 / 3, 5 / 3, 5 / 3, 35])


def test_the_row_itself_and_the_first_of_equally_near_rows_count():
    updates = torch.tensor([[0.0], [1.0], [-1.0]])
    assert nearest_neighbor_mixing(updates, 1).flatten().tolist() == [0.5, 0.5, -0.5]


@given(matrices(st.integers(-99, 99)), st.data())
def test_mixing_agrees_with_brute_force(updates, data):
    malicious = data.draw(st.integers(0, (len(updates) - 1) // 2))
    torch.testing.assert_close(nearest_neighbor_mixing(updates, malicious).double(), brute_force(updates, malicious))


@given(matrices())
def test_averages_stay_between_the_smallest_and_the_largest_values(updates):
    mixed = nearest_neighbor_mixing(updates, (len(updates) - 1) // 2)
    slack = 1e-6 * updates.abs().amax(dim=0)
    assert (mixed >= updates.amin(dim=0) - slack).all()
    assert (mixed <= updates.amax(dim=0) + slack).all()


def test_blocks_of_columns_make_no_difference():
    updates = gaussian(50, 30_000)
    assert len(list(column_blocks(updates))) > 2
    torch.testing.assert_close(
        nearest_neighbor_mixing(updates, 10).double(), brute_force(updates, 10), rtol=1e-5, atol=1e-6
    )


def test_rows_that_are_not_finite_are_in_no_average_and_count_as_malicious():
    updates, lost = gaussian(7, 3), torch.tensor([[nan, 0.0, 1.0], [inf, 1.0, -inf]])
    mixed = nearest_neighbor_mixing(torch.cat([lost, updates]), 3)
    torch.testing.assert_close(mixed[2:], nearest_neighbor_mixing(updates, 1))
    torch.testing.assert_close(mixed[:2], lost, equal_nan=True)


def test_of_no_rows_there_is_nothing_to_mix():
    assert nearest_neighbor_mixing(torch.empty(0, 3), 0).shape == (0, 3)


@pytest.mark.parametrize(
    ("malicious", "remedy"), [(5, "is not a minority of 9 updates; use malicious <= 4"), (-1, ".* >= 0")]
)
def test_impossible_counts_are_refused(malicious, remedy):
    with pytest.raises(ConfigError, match=f"^nearest_neighbor_mixing: malicious={malicious}.*{remedy}$"):
        nearest_neighbor_mixing(torch.zeros(9, 2), malicious)


def test_a_negative_setting_is_refused():
    with pytest.raises(ConfigError, match="^nearest_neighbor_mixing: malicious=-2"):
        NearestNeighborMixing(Mean(), malicious=-2)


@pytest.mark.parametrize(("own", "assumed"), [(None, 2), (3, 3), (9, 4)])
def test_the_rule_inside_sees_mixed_rows_and_the_same_count(own, assumed):
    updates = gaussian(9, 4)
    step, _ = NearestNeighborMixing(TrimmedMean(), malicious=own).aggregate(view(updates, malicious=2), {})
    assert torch.equal(step, trimmed_mean(nearest_neighbor_mixing(updates, assumed), assumed))


def test_the_limit_is_what_both_can_bear():
    assert [NearestNeighborMixing(Krum()).limit(clients) for clients in (0, 5, 10)] == [0, 1, 3]
    assert [NearestNeighborMixing(Mean()).limit(clients) for clients in (0, 5, 10)] == [0, 2, 4]


def test_the_record_is_told_what_the_rule_inside_tells():
    notes = Notes()
    rule = NearestNeighborMixing(Krum())
    rule.aggregate(view(torch.tensor([[90.0], [0.0], [1.0], [2.0], [4.0]]), malicious=1, note=notes), {})
    assert notes.keys() == {"selected"}
    assert rule.family == "distance"
