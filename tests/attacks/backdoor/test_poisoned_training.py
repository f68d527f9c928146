import pytest
import torch

from sparring.attacks import PoisonedTraining
from sparring.attacks.backdoor.poisoned_training import replacement_factor
from sparring.conformance.adversary import BENIGN, OWN, attacker_view
from sparring.errors import ConfigError


def test_without_a_boost_the_clients_submit_what_they_trained():
    assert torch.equal(PoisonedTraining().craft(attacker_view()), OWN)


def test_the_boost_multiplies_the_updates():
    torch.testing.assert_close(PoisonedTraining(boost=2.5).craft(attacker_view()), 2.5 * OWN)


@pytest.mark.parametrize(("malicious", "server_lr", "factor"), [(1, 1.0, 10.0), (2, 1.0, 5.0), (1, 0.5, 20.0)])
def test_the_factor_is_n_over_eta_and_shared(malicious, server_lr, factor):
    assert replacement_factor(10, malicious, server_lr=server_lr) == factor


def test_model_replacement_puts_the_malicious_model_in_the_place_of_the_global_one():
    seen = attacker_view(benign=torch.zeros_like(BENIGN))
    sent = torch.cat([seen.benign, PoisonedTraining(boost=None).craft(seen)])
    torch.testing.assert_close(seen.parameters - sent.mean(dim=0), (seen.parameters - OWN).mean(dim=0))


@pytest.mark.parametrize("boost", [0.0, -1.0, float("inf"), float("nan")])
def test_a_boost_out_of_range_is_refused(boost):
    with pytest.raises(ConfigError, match=rf"^bfl\.boost is {boost}; it must be positive and finite$"):
        PoisonedTraining(boost=boost)
