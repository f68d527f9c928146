from dataclasses import fields
from math import exp, inf, log10, nan

import numpy as np
import pytest
import torch

from sparring.conformance.adversary import OWN, attacker_view
from sparring.contracts import BlackBoxView
from sparring.errors import ConfigError
from sparring.policies.observation import Features, observation, observation_size
from sparring.training import mean_loss
from tests.attacks.views import LOGISTIC


def seen(layers, features=()):
    return observation(LOGISTIC, attacker_view().parameters, malicious=3, sampled=10, layers=layers, features=features)


def black_box(**changes):
    """Return a view with nothing in it but what every attacker knows."""
    view = attacker_view(**changes)
    return BlackBoxView(**{field.name: getattr(view, field.name) for field in fields(BlackBoxView)})


def measured(horizon=20, **changes):
    return Features(horizon).measure(black_box(**changes))


def test_the_share_of_malicious_clients_comes_last():
    assert seen(1)[-1] == np.float32(0.3)


def test_the_model_comes_before_it():
    np.testing.assert_array_equal(seen(None)[:-1], attacker_view().parameters.numpy())
    assert (seen(1)[:-1].min(), seen(1)[:-1].max()) == (-1, 1)


def test_features_stand_between_the_model_and_the_share():
    np.testing.assert_array_equal(seen(1, (0.5, -0.25, 1.0))[-4:], np.float32([0.5, -0.25, 1.0, 0.3]))
    np.testing.assert_array_equal(seen(1, (0.5, -0.25, 1.0))[:-4], seen(1)[:-1])


def test_its_size_is_known_beforehand():
    for layers in (1, None):
        assert len(seen(layers)) == observation_size(LOGISTIC, layers)
        features = Features(5)
        assert len(seen(layers, features.unknown)) == observation_size(LOGISTIC, layers, features)


class TestFeatures:
    def test_the_own_updates_are_compared_with_the_last_change_of_the_model(self):
        view = black_box()
        own, changed = OWN.norm(dim=1).median(), (view.parameters - view.previous).norm()
        assert measured()[0] == pytest.approx(log10(own / changed) / 2)
        ten_times = measured(own=10 * OWN)[0]
        assert ten_times == pytest.approx(measured()[0] + 0.5)

    def test_a_ratio_beyond_every_measure_is_cut(self):
        assert measured(own=1e9 * OWN)[0] == measured(own=torch.full_like(OWN, nan))[0] == 1
        assert measured(own=torch.zeros_like(OWN))[0] == -1

    def test_before_the_first_change_nothing_is_compared(self):
        assert measured(previous=None)[0] == 0
        assert measured(previous=attacker_view().parameters)[0] == 0

    def test_the_loss_is_that_of_examples_of_all_own_clients(self):
        view = black_box()
        examples = view.shards.shared(100)[view.clients[0]]
        assert len(examples.labels) == 100
        assert measured()[1] == pytest.approx(1 - 2 * exp(-mean_loss(LOGISTIC, view.parameters, on=examples)))

    @pytest.mark.parametrize("value", [nan, inf])
    def test_a_model_that_is_not_finite_has_the_largest_loss(self, value):
        assert measured(parameters=torch.full((LOGISTIC.size,), value))[1] == 1

    def test_progress_is_the_share_of_the_horizon(self):
        assert [measured(horizon=4, round=round)[2] for round in (0, 1, 4, 9)] == [0, 0.25, 1, 1]

    def test_nothing_is_drawn(self):
        view = black_box()
        before = view.rng.bit_generator.state
        assert Features(3).measure(view) == Features(3).measure(view)
        assert view.rng.bit_generator.state == before

    @pytest.mark.parametrize("wrong", [{"horizon": 0}, {"horizon": 5, "examples": 0}])
    def test_counts_below_one_are_refused(self, wrong):
        with pytest.raises(ConfigError, match="must be at least 1"):
            Features(**wrong)
