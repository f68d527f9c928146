import pytest
import torch

from sparring.attacks import ScaledGradient, SignFlip, constant_joint_actions
from sparring.attacks.untargeted.scaled_gradient import ranks_of
from sparring.conformance.adversary import OWN, attacker_view, updates
from sparring.defenses.aggregation.fltrust import fltrust
from sparring.errors import ConfigError


def test_ranks_are_positions_in_ascending_order():
    assert ranks_of((70, 3, 12)).tolist() == [2, 0, 1]


def test_one_factor_is_that_of_all_clients():
    torch.testing.assert_close(ScaledGradient(-1.0).craft(attacker_view()), SignFlip().craft(attacker_view()))
    torch.testing.assert_close(ScaledGradient(0.25).craft(attacker_view()), 0.25 * OWN)


def test_two_factors_halve_the_ranks_and_the_one_in_the_middle_has_their_mean():
    rows = ScaledGradient(-1.0, 0.5).craft(attacker_view(clients=(9, 2, 5)))
    torch.testing.assert_close(rows, OWN * torch.tensor([0.5, -1.0, -0.25])[:, None])
    own = updates(4, "four")
    rows = ScaledGradient(0.0, 2.0).craft(attacker_view(own=own, clients=(4, 3, 2, 1)))
    torch.testing.assert_close(rows, own * torch.tensor([2.0, 2.0, 0.0, 0.0])[:, None])


@pytest.mark.parametrize("factors", [(float("nan"), None), (1.0, float("inf"))])
def test_a_factor_that_is_not_finite_is_refused(factors):
    with pytest.raises(ConfigError, match="it must be finite"):
        ScaledGradient(*factors)


def test_the_grid_has_every_factor_and_every_pair_once():
    grid = constant_joint_actions(lowest=-1.5)
    assert len(grid) == 6 + 15
    assert len({(each.factor, each.second) for each in grid}) == 21
    assert ScaledGradient(-1.5) in grid
    assert ScaledGradient(-1.5, 1.0) in grid
    assert len(constant_joint_actions()) == 5 + 10


BENIGN, ROOT = updates(6, "benign of fltrust"), updates(1, "root of fltrust")[0]
"""A malicious client's own update agrees with the root update, as an honest one does."""


class TestUnderFLTrust:
    """The invariance that docs/coordinated-attack.md proves: the factor can only be honest, or absent."""

    honest = updates(1, "own of fltrust")

    def aggregate(self, *rows):
        return fltrust(torch.cat([BENIGN, *rows]), ROOT)

    @pytest.mark.parametrize("factor", [0.01, 1.0, 50.0])
    def test_a_positive_factor_is_that_of_an_honest_client(self, factor):
        assert torch.nn.functional.cosine_similarity(self.honest[0], ROOT, dim=0) > 0
        torch.testing.assert_close(self.aggregate(factor * self.honest), self.aggregate(self.honest))

    @pytest.mark.parametrize("factor", [-0.01, -5.0, 0.0])
    def test_a_negative_factor_is_that_of_a_client_that_stays_away(self, factor):
        torch.testing.assert_close(self.aggregate(factor * self.honest), self.aggregate(), rtol=0, atol=0)

    def test_the_two_differ(self):
        assert not torch.allclose(self.aggregate(self.honest), self.aggregate())
