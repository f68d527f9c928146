import pytest
import torch

from sparring.attacks import InnerProduct
from sparring.conformance.adversary import OWN, attacker_view
from sparring.errors import ConfigError


def test_all_clients_submit_the_benign_mean_reversed_and_scaled():
    seen = attacker_view(torch.tensor([[1.0, 2.0], [3.0, -6.0]]), own=torch.zeros(3, 2))
    torch.testing.assert_close(InnerProduct(scale=2.0).craft(seen), torch.tensor([[-4.0, 4.0]] * 3))


def test_of_the_minimum_the_smallest_value_of_each_coordinate_is_reversed_and_scaled():
    seen = attacker_view(torch.tensor([[1.0, 2.0], [3.0, -6.0], [2.0, 5.0]]), own=torch.zeros(3, 2))
    torch.testing.assert_close(InnerProduct(scale=2.0, of="minimum").craft(seen), torch.tensor([[-2.0, 12.0]] * 3))


def test_updates_that_are_not_finite_have_no_minimum():
    seen = attacker_view(torch.tensor([[1.0, 2.0], [-float("inf"), -9.0], [2.0, 1.0]]), own=torch.zeros(1, 2))
    torch.testing.assert_close(InnerProduct(scale=2.0, of="minimum").craft(seen), torch.tensor([[-2.0, -2.0]]))


def test_either_the_mean_or_the_minimum_is_reversed():
    with pytest.raises(ConfigError, match="^ipm.of is 'median'; it must be mean or minimum$"):
        InnerProduct(of="median")


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(InnerProduct().craft(attacker_view(benign=OWN[:0])), OWN)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_positive(scale):
    with pytest.raises(ConfigError, match=f"^ipm.scale is {scale}; it must be positive and finite$"):
        InnerProduct(scale=scale)
