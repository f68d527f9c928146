import numpy as np

from sparring.conformance.adversary import attacker_view
from sparring.policies.observation import observation, observation_size
from tests.attacks.views import LOGISTIC


def seen(layers):
    return observation(LOGISTIC, attacker_view().parameters, malicious=3, sampled=10, layers=layers)


def test_the_share_of_malicious_clients_comes_last():
    assert seen(1)[-1] == np.float32(0.3)


def test_the_model_comes_before_it():
    np.testing.assert_array_equal(seen(None)[:-1], attacker_view().parameters.numpy())
    assert (seen(1)[:-1].min(), seen(1)[:-1].max()) == (-1, 1)


def test_its_size_is_known_beforehand():
    for layers in (1, None):
        assert len(seen(layers)) == observation_size(LOGISTIC, layers)
