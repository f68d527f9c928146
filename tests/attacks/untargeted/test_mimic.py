import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.attacks import Mimic
from sparring.attacks.untargeted.mimic import most_extreme
from sparring.conformance.adversary import BENIGN, OWN, attacker_view
from tests.attacks.untargeted.searching import drawn


def test_the_copied_client_is_the_extreme_one_of_the_direction_of_largest_variance():
    # The first coordinate varies most; its mean is 2, from which 8 lies farther than -3.
    benign = torch.tensor([[8.0, 0.0], [-2.0, 1.5], [-3.0, -1.5], [6.0, 1.0], [1.0, -1.0]])
    rows = Mimic().craft(attacker_view(benign, own=torch.zeros(3, 2)))
    assert torch.equal(rows, benign[:1].expand(3, -1))


@given(st.integers(0, 2**32))
def test_the_gram_matrix_tells_what_the_principal_direction_of_the_rows_does(seed):
    updates = drawn(seed)
    offsets = updates.double() - updates.double().mean(dim=0)
    direction = torch.linalg.svd(offsets).Vh[0]
    projections = (offsets @ direction).abs()
    chosen = projections[most_extreme(updates)]
    torch.testing.assert_close(chosen, projections.max(), rtol=1e-5, atol=1e-9)


def test_a_client_that_is_farther_away_than_all_others_is_copied():
    benign = BENIGN.clone()
    benign[4] *= -30
    assert most_extreme(benign) == 4


def test_close_updates_far_from_zero_are_told_apart():
    assert most_extreme(torch.tensor([[4096.0, 1e6], [4096.5, 1e6], [4098.0, 1e6]])) == 2


def test_a_benign_update_that_the_server_drops_is_not_copied():
    spoiled = BENIGN.clone()
    spoiled[4] = torch.inf
    kept = BENIGN[[0, 1, 2, 3, 5, 6]]
    assert torch.equal(Mimic().craft(attacker_view(spoiled)), kept[most_extreme(kept)].expand(3, -1))


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(Mimic().craft(attacker_view(benign=OWN[:0])), OWN)
