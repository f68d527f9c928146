from types import SimpleNamespace

import pytest
import torch

from sparring.attacks import Gaussian
from sparring.conformance.adversary import attacker_view
from sparring.errors import ConfigError


def test_the_noise_has_mean_zero_and_the_given_deviation():
    rows = Gaussian(std=0.3).craft(attacker_view(network=SimpleNamespace(size=20_000)))
    spread, center = torch.std_mean(rows)
    # Five standard errors of each, for 60 000 draws.
    assert abs(center) < 5 * 0.3 / 60_000**0.5
    assert abs(spread - 0.3) < 5 * 0.3 / 120_000**0.5


def test_clients_submit_different_noise():
    first, second, third = Gaussian().craft(attacker_view())
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


@pytest.mark.parametrize("deviation", [0.0, -1.0, float("nan"), float("inf")])
def test_a_deviation_must_be_positive(deviation):
    with pytest.raises(ConfigError, match=f"^gaussian.std is {deviation}; it must be positive and finite$"):
        Gaussian(std=deviation)
