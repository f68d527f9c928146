from statistics import NormalDist

import pytest
import torch

from sparring.attacks import ALittleIsEnough
from sparring.attacks.untargeted.a_little_is_enough import a_little_is_enough, largest_z
from sparring.conformance.adversary import BENIGN, OWN, attacker_view
from sparring.contracts import BlackBoxView, OmniscientView
from sparring.errors import ConfigError

ROWS = torch.tensor([[1.0, -2.0], [3.0, -2.0], [8.0, 4.0]])
"""Means 4 and 0, variances 26/3 and 8."""


def test_the_mean_is_shifted_down_by_population_deviations():
    expected = [4 - 1.5 * (26 / 3) ** 0.5, -1.5 * 8**0.5]
    torch.testing.assert_close(a_little_is_enough(ROWS, 1.5), torch.tensor(expected))


def test_a_negative_z_shifts_the_other_way():
    up, down = (a_little_is_enough(ROWS, z) for z in (-1.0, 1.0))
    torch.testing.assert_close((up + down) / 2, torch.tensor([4.0, 0.0]))
    assert (up > down).all()


@pytest.mark.parametrize(
    ("clients", "malicious", "share"),
    [
        (50, 24, 24 / 26),  # two supporters, the paper's example
        (100, 20, 49 / 80),
        (51, 10, 25 / 41),  # an odd number: ⌊26.5⌋ are a majority
        (10, 2, 1 / 2),
        (10, 1, 4 / 9),
    ],
)
def test_z_is_the_published_quantile(clients, malicious, share):
    assert NormalDist().cdf(largest_z(clients, malicious)) == pytest.approx(share)


def test_with_two_malicious_of_ten_the_published_attack_submits_the_mean():
    rows = ALittleIsEnough().craft(attacker_view(BENIGN, OWN[:2], sampled=10))
    torch.testing.assert_close(rows, BENIGN.mean(dim=0).expand(2, -1))


@pytest.mark.parametrize("malicious", [5, 6, 8])
def test_a_malicious_majority_asks_for_one_supporter(malicious):
    benign = 10 - malicious
    assert NormalDist().cdf(largest_z(10, malicious)) == pytest.approx((benign - 1) / benign)


@pytest.mark.parametrize(("clients", "malicious"), [(1, 1), (2, 1), (2, 2), (10, 9), (10, 10)])
def test_z_is_finite_where_there_is_no_quantile(clients, malicious):
    assert largest_z(clients, malicious) == 0


def test_z_follows_the_numbers_of_the_round_unless_it_is_given():
    seen = attacker_view()  # ten sampled, three malicious: four of seven benign below
    quantile = NormalDist().inv_cdf(4 / 7)
    assert torch.equal(ALittleIsEnough().craft(seen), a_little_is_enough(BENIGN, quantile).expand(3, -1))
    assert torch.equal(ALittleIsEnough(z=1.5).craft(seen), a_little_is_enough(BENIGN, 1.5).expand(3, -1))


def test_with_partial_knowledge_the_moments_are_those_of_the_own_updates():
    rows = ALittleIsEnough(z=1.5, knowledge="partial").craft(attacker_view())
    assert torch.equal(rows, a_little_is_enough(OWN, 1.5).expand(3, -1))
    assert ALittleIsEnough(knowledge="partial").needs is BlackBoxView
    assert ALittleIsEnough(knowledge="full").needs is OmniscientView


def test_one_benign_update_is_submitted_as_it_is():
    assert torch.equal(ALittleIsEnough(z=1.5).craft(attacker_view(BENIGN[:1])), BENIGN[:1].expand(3, -1))


def test_without_benign_updates_the_clients_submit_their_own():
    assert torch.equal(ALittleIsEnough().craft(attacker_view(benign=OWN[:0])), OWN)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"z": float("nan")}, r"^alie\.z is nan; it must be finite$"),
        ({"z": float("inf")}, r"^alie\.z is inf; it must be finite$"),
        ({"knowledge": "none"}, r"^alie\.knowledge is 'none'; it must be full or partial$"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ALittleIsEnough(**settings)
