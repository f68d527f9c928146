from math import nan

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.defenses import Krum, krum
from sparring.errors import ConfigError
from tests.defenses.views import Notes, view
from tests.matrices import gaussian, matrices

LINE = torch.tensor([[0.0], [1.0], [1.5], [10.0], [10.7]])


def brute_force_scores(updates: torch.Tensor, malicious: int) -> list[float]:
    rows = updates.double().tolist()
    distances = [[sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) for two in rows] for one in rows]
    nearest = len(rows) - malicious - 2
    return [sum(sorted(row[:i] + row[i + 1 :])[:nearest]) for i, row in enumerate(distances)]


def counts(updates: torch.Tensor) -> st.SearchStrategy[int]:
    return st.integers(0, (len(updates) - 3) // 2)


def test_the_choice_by_hand():
    # Two neighbors count; the scores are 1 + 2.25, 0.25 + 1, 0.25 + 2.25, and more than 70 for the far pair.
    assert krum(LINE, 1).tolist() == [1.0]


def test_more_neighbors_count_when_fewer_are_malicious():
    # With three neighbors 0 + 1 + 4 of the pair exceed 1 + 1 + 1, with two the pair's 0 + 1 are less.
    updates = torch.tensor([[3.0], [3.0], [4.0], [5.0], [60.0]])
    assert krum(updates, 0).tolist() == [4.0]
    assert krum(updates, 1).tolist() == [3.0]


@given(matrices(st.integers(-9, 9), rows=3), st.data())
def test_krum_chooses_as_brute_force_does_and_the_first_of_equals(updates, data):
    malicious = data.draw(counts(updates))
    scores = brute_force_scores(updates, malicious)
    assert torch.equal(krum(updates, malicious), updates[scores.index(min(scores))])


@given(matrices(rows=3), st.data())
def test_no_row_has_a_lower_score_than_the_chosen_one(updates, data):
    malicious = data.draw(counts(updates))
    scores = brute_force_scores(updates, malicious)
    chosen = [score for row, score in zip(updates, scores, strict=True) if torch.equal(row, krum(updates, malicious))]
    assert min(chosen) <= min(scores) * (1 + 1e-7)


def test_distances_are_compared_where_the_rows_are_huge():
    updates = 1e8 + 8 * torch.tensor([[0.0], [90.0], [91.0], [93.0], [300.0]])
    assert krum(updates, 1).equal(updates[2])


@pytest.mark.parametrize("rows", [1, 2])
def test_of_fewer_than_three_rows_the_median_is_returned(rows):
    updates = gaussian(rows, 4)
    torch.testing.assert_close(krum(updates, 0), updates.mean(dim=0))


def test_too_high_a_count_names_the_largest_legal_one():
    expected = "^krum: malicious=4 needs at least 11 updates, given 10; use malicious <= 3$"
    with pytest.raises(ConfigError, match=expected):
        krum(torch.zeros(10, 2), 4)


@pytest.mark.parametrize("malicious", [1, -1])
def test_a_count_that_two_rows_cannot_bear_is_refused(malicious):
    with pytest.raises(ValueError, match=r"use .*malicious [<>]= 0$"):
        krum(torch.zeros(2, 2), malicious)


def test_a_negative_setting_is_refused():
    with pytest.raises(ConfigError, match="krum: malicious=-1"):
        Krum(malicious=-1)


def test_the_result_is_no_view_of_the_updates():
    updates = gaussian(5, 3)
    chosen = krum(updates, 1)
    assert chosen.untyped_storage().data_ptr() != updates.untyped_storage().data_ptr()


def test_the_limit_is_that_of_the_paper():
    assert [Krum().limit(clients) for clients in (0, 1, 2, 3, 4, 5, 10, 11)] == [0, 0, 0, 0, 0, 1, 3, 4]


def test_the_record_is_told_which_row_was_selected():
    notes = Notes()
    step, _ = Krum().aggregate(view(LINE, malicious=1, note=notes), {})
    assert notes == {"selected": (1,)}
    assert step.tolist() == [1.0]


def test_rows_are_named_by_their_place_among_all():
    notes = Notes()
    # The lost row was the malicious one: three neighbors count, and 1.5 is nearest to its three.
    Krum().aggregate(view(torch.cat([torch.tensor([[nan]]), LINE]), malicious=1, note=notes), {})
    assert notes == {"selected": (3,)}


def test_in_a_small_round_the_count_is_lowered():
    updates = gaussian(6, 3)
    step, _ = Krum(malicious=4).aggregate(view(updates), {})
    assert torch.equal(step, krum(updates, 1))


APART = torch.tensor([[-1.5], [0.0], [1.5], [100.0], [100.1], [102.5]])


def released_choice(updates: torch.Tensor, malicious: int) -> int:
    """Choose as the code does that was released with the RL attack."""
    rows = updates.double()
    distances = [sorted(float((one - other).norm()) for other in rows) for one in rows]
    scores = [sum(each[1 : len(rows) - 2 - malicious]) for each in distances]
    return scores.index(min(scores))


def test_the_released_variant_by_hand():
    # Two neighbors count: 0.0 has 1.5 + 1.5, 100.1 has 0.1 + 2.4, which is less, though 0.01 + 5.76 exceed 2.25 + 2.25.
    assert krum(APART, 1, variant="released").tolist() == APART[4].tolist()
    # The published form counts three neighbors: 100.0 has 0.01 + 6.25 + 98.5 squared, 1.5 has 2.25 + 9 + 98.5 squared.
    assert krum(APART, 1).tolist() == [100.0]


@given(matrices(st.integers(-9, 9), rows=1), st.integers(0, 12))
def test_the_released_variant_chooses_as_the_released_code_does(updates, malicious):
    chosen = krum(updates, malicious, variant="released")
    assert torch.equal(chosen, updates[released_choice(updates, malicious)])


@pytest.mark.parametrize("malicious", range(1, 8))
def test_a_released_oracle_takes_from_four_to_six_equal_rows_of_ten_whatever_they_contain(malicious):
    benign = gaussian(10 - malicious, 20)
    updates = torch.cat([benign, 1000 * gaussian(1, 20, name="crafted").expand(malicious, -1)])
    notes = Notes()
    Krum("sampled", variant="released").aggregate(view(updates, malicious=malicious, note=notes), {})
    (chosen,) = notes["selected"]
    assert (chosen >= len(benign)) == (malicious in (4, 5, 6))
    assert malicious != 7 or chosen == 0


def test_the_released_variant_takes_any_count():
    assert [Krum(variant="released").limit(clients) for clients in (0, 1, 2, 10)] == [0, 1, 2, 10]
    assert krum(gaussian(0, 3), 2, variant="released").tolist() == [0.0] * 3
    with pytest.raises(ConfigError, match=r"^krum: malicious=-1; use malicious >= 0$"):
        krum(gaussian(4, 3), -1, variant="released")


@pytest.mark.parametrize("malicious", range(21))
def test_the_released_rule_is_the_released_function(malicious):
    updates = gaussian(10, 3)
    step, _ = Krum(malicious, variant="released").aggregate(view(updates), {})
    assert torch.equal(step, krum(updates, malicious, variant="released"))


def test_in_the_released_variant_a_lost_row_counts_as_one_of_the_malicious():
    lost = torch.cat([torch.tensor([[nan]]), APART])
    assert torch.equal(krum(lost, 2, variant="released"), krum(APART, 1, variant="released"))


def test_an_unknown_variant_is_refused():
    with pytest.raises(ConfigError, match="^krum: variant='squared'; use one of: published, released$"):
        Krum(variant="squared")
    with pytest.raises(ConfigError, match="^krum: variant='squared'"):
        krum(LINE, 1, variant="squared")
