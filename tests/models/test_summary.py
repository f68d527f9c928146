import numpy as np
import pytest
import torch

from sparring.conformance.adversary import Facts, logistic
from sparring.errors import ConfigError
from sparring.models import LeNet, network
from sparring.models.summary import FARTHEST, summary
from sparring.random import stream


@pytest.fixture(scope="module")
def lenet():
    return network(LeNet(), Facts(shape=(1, 28, 28), classes=10))


def test_the_last_layer_is_scaled_to_reach_from_minus_one_to_one(lenet):
    parameters = lenet.initial(stream(0, "model"))
    last = parameters[-850:].numpy()
    seen = summary(lenet, parameters, layers=1)
    np.testing.assert_allclose(seen, 2 * (last - last.min()) / (last.max() - last.min()) - 1, atol=1e-6)


def test_two_layers_are_scaled_together(lenet):
    parameters = lenet.initial(stream(0, "model"))
    seen = summary(lenet, parameters, layers=2)
    assert len(seen) == 850 + 120 * 84 + 84
    assert (seen.min(), seen.max()) == (-1, 1)


def test_all_parameters_are_shown_as_they_are():
    parameters = torch.arange(12.0)
    np.testing.assert_array_equal(summary(logistic(), parameters, layers=None), parameters.numpy())


@pytest.mark.parametrize("layers", [1, None])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 3e38])
def test_a_model_that_has_diverged_is_seen_in_finite_numbers(layers, value):
    parameters = torch.arange(12.0)
    parameters[3] = value
    seen = summary(logistic(), parameters, layers=layers)
    assert np.isfinite(seen).all()
    assert np.abs(seen).max() <= (FARTHEST if layers is None else 1)


def test_equal_parameters_lie_in_the_middle():
    assert not summary(logistic(), torch.full((12,), 5.0), layers=1).any()


def test_what_is_seen_is_a_copy():
    parameters = torch.zeros(12)
    summary(logistic(), parameters, layers=None)[:] = 7
    assert not parameters.any()


@pytest.mark.parametrize("layers", [0, 6])
def test_layers_that_the_model_does_not_have_are_refused(lenet, layers):
    with pytest.raises(ConfigError, match=rf"^observation layers is {layers}; the model has 5, use from 1 to 5$"):
        summary(lenet, torch.zeros(lenet.size), layers=layers)
