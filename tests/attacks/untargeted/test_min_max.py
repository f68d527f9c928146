import pytest
import torch
from hypothesis import given, settings

from sparring.attacks import MinMax
from sparring.attacks.untargeted.min_max import min_max
from sparring.conformance.adversary import BENIGN, OWN, attacker_view
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError
from tests.attacks.untargeted.searching import DIRECTIONS, SEEDS, distances, drawn, farthest


@pytest.mark.parametrize("direction", ["unit", "sign", "std"])
def test_on_a_line_it_stops_a_diameter_below_the_largest_update(direction):
    torch.testing.assert_close(min_max(torch.tensor([[1.0], [2.0], [6.0]]), direction), torch.tensor([1.0]))


def test_the_largest_distance_to_a_benign_update_is_that_between_two():
    benign = torch.tensor([[3.0, 4.0], [3.0, -4.0]])
    # From the mean (3, 0) the update goes left until both are at distance 8: by sqrt(64 - 16).
    torch.testing.assert_close(min_max(benign, "unit"), torch.tensor([3 - 48**0.5, 0.0]))


@given(SEEDS, DIRECTIONS)
@settings(max_examples=300)
def test_the_radius_is_that_of_a_search_over_all_distances(seed, direction):
    benign = drawn(seed)
    diameter = distances(benign, benign).max()
    expected = farthest(benign, direction, lambda update: bool(distances(update[None], benign).max() <= diameter))
    size = benign.abs().max().item()
    torch.testing.assert_close(min_max(benign, direction), expected, rtol=1e-5, atol=1e-5 * size)


def test_close_updates_far_from_zero_keep_their_digits():
    benign = torch.tensor([[4096.0], [4096.5], [4097.0]])
    assert min_max(benign, "unit").item() == 4096.0


@pytest.mark.parametrize("direction", ["unit", "sign", "std"])
def test_equal_updates_leave_no_room(direction):
    torch.testing.assert_close(min_max(BENIGN[:1].expand(5, -1), direction), BENIGN[0])


def test_the_updates_are_the_benign_or_with_partial_knowledge_the_own_ones():
    full, partial = MinMax("sign"), MinMax("sign", knowledge="partial")
    assert torch.equal(full.craft(attacker_view()), min_max(BENIGN, "sign").expand(3, -1))
    assert torch.equal(partial.craft(attacker_view()), min_max(OWN, "sign").expand(3, -1))
    assert (full.needs, partial.needs) == (OmniscientView, BlackBoxView)


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(MinMax().craft(attacker_view(benign=OWN[:0])), OWN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "mean"}, r"^min_max\.direction is 'mean'; it must be one of: unit, sign, std$"),
        ({"knowledge": "none"}, r"^min_max\.knowledge is 'none'; it must be full or partial$"),
    ],
)
def test_unknown_settings_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        MinMax(**options)
