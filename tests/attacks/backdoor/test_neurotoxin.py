from dataclasses import replace

import pytest
import torch

from sparring.attacks import Neurotoxin
from sparring.attacks.backdoor.neurotoxin import little_used
from sparring.conformance.adversary import OWN, attacker_view
from sparring.errors import ConfigError


def test_the_coordinates_with_the_largest_values_are_left_out():
    observed = torch.tensor([0.1, -3.0, 0.0, 2.0, -0.5])
    assert little_used(observed, 0.4).tolist() == [True, False, True, False, True]
    assert little_used(observed, 0.0).all()


def test_what_is_submitted_does_not_move_what_the_last_global_update_moved_most():
    seen = attacker_view()
    moved = torch.zeros(12)
    moved[[2, 5, 7]] = torch.tensor([1.0, -2.0, 1.5])
    sent = Neurotoxin(top=0.25).craft(replace(seen, previous=seen.parameters + moved))
    expected = OWN.clone()
    expected[:, [2, 5, 7]] = 0
    assert torch.equal(sent, expected)


def test_before_a_global_update_was_seen_all_coordinates_are_free():
    assert torch.equal(Neurotoxin(top=0.5).craft(replace(attacker_view(), previous=None)), OWN)


@pytest.mark.parametrize("top", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(top):
    with pytest.raises(ConfigError, match=rf"^neurotoxin\.top is {top}; it must be at least 0 and below 1$"):
        Neurotoxin(top=top)
