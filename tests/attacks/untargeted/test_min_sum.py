import pytest
import torch
from hypothesis import given, settings

from sparring.attacks import MinSum
from sparring.attacks.untargeted.min_sum import min_sum
from sparring.conformance.adversary import BENIGN, OWN, attacker_view
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError
from tests.attacks.untargeted.searching import DIRECTIONS, SEEDS, distances, drawn, farthest


@pytest.mark.parametrize("direction", ["unit", "sign", "std"])
def test_on_a_line_it_is_as_far_from_the_mean_as_the_farthest_update(direction):
    torch.testing.assert_close(min_sum(torch.tensor([[1.0], [2.0], [6.0]]), direction), torch.tensor([0.0]))


def test_the_distances_add_up_to_those_of_the_farthest_benign_update():
    benign = torch.tensor([[3.0, 4.0], [3.0, -4.0]])
    # Each benign update is at squared distance 64 from the other: the crafted one at 32 from both.
    torch.testing.assert_close(min_sum(benign, "unit"), torch.tensor([-1.0, 0.0]))


@given(SEEDS, DIRECTIONS)
@settings(max_examples=300)
def test_the_radius_is_that_of_a_search_over_all_distances(seed, direction):
    benign = drawn(seed)
    largest = distances(benign, benign).sum(dim=1).max()
    expected = farthest(benign, direction, lambda update: bool(distances(update[None], benign).sum() <= largest))
    size = benign.abs().max().item()
    torch.testing.assert_close(min_sum(benign, direction), expected, rtol=1e-5, atol=1e-5 * size)


@pytest.mark.parametrize("direction", ["unit", "sign", "std"])
def test_equal_updates_leave_no_room(direction):
    torch.testing.assert_close(min_sum(BENIGN[:1].expand(5, -1), direction), BENIGN[0])


def test_the_updates_are_the_benign_or_with_partial_knowledge_the_own_ones():
    full, partial = MinSum("std"), MinSum("std", knowledge="partial")
    assert torch.equal(full.craft(attacker_view()), min_sum(BENIGN, "std").expand(3, -1))
    assert torch.equal(partial.craft(attacker_view()), min_sum(OWN, "std").expand(3, -1))
    assert (full.needs, partial.needs) == (OmniscientView, BlackBoxView)


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(MinSum().craft(attacker_view(benign=OWN[:0])), OWN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "mean"}, r"^min_sum\.direction is 'mean'; it must be one of: unit, sign, std$"),
        ({"knowledge": "none"}, r"^min_sum\.knowledge is 'none'; it must be full or partial$"),
    ],
)
def test_unknown_settings_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        MinSum(**options)
