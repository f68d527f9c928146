"""A module as a function of a flat vector."""

import pytest
import torch
from torch import nn

from sparring.errors import ConfigError
from sparring.models import network
from sparring.models.initialization import glorot
from sparring.random import stream
from tests.settings import Facts

FACTS = Facts(shape=(4,), classes=3)


def test_a_module_of_the_user_starts_from_its_own_parameters_and_is_left_alone():
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    fitted = network(module, FACTS)
    parameters = fitted.initial(stream(0, "model"))
    inputs = torch.rand(6, 4)
    expected = module((inputs - 0.1) / 0.3)
    torch.testing.assert_close(fitted.forward(fitted.split(parameters), inputs), expected)
    parameters.zero_()
    assert next(module.parameters()).abs().sum() > 0
    assert next(module.parameters()).requires_grad


def test_layers_are_named_as_in_the_module():
    fitted = network(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), FACTS)
    assert fitted.layers == {"0": slice(0, 25), "2": slice(25, 43)}


def test_split_views_the_vector_without_a_copy():
    fitted = network(nn.Linear(4, 3), FACTS)
    vector = torch.zeros(fitted.size)
    weight, bias = fitted.split(vector)
    vector[0] = 7.0
    assert weight[0, 0] == 7.0
    assert bias.shape == (3,)


def test_inputs_are_normalized_first():
    fitted = network(nn.Linear(4, 3, bias=False), FACTS)
    at_mean = torch.full((1, 4), 0.1)
    assert fitted.forward(fitted.split(torch.ones(fitted.size)), at_mean).abs().max() == 0


def test_dropout_is_off():
    fitted = network(nn.Sequential(nn.Dropout(0.9), nn.Linear(4, 3)), FACTS)
    vector, inputs = torch.ones(fitted.size), torch.rand(5, 4)
    first, again = (fitted.forward(fitted.split(vector), inputs) for _ in range(2))
    assert first.equal(again)


def test_running_statistics_are_refused():
    with pytest.raises(ConfigError, match="has the buffer '1.running_mean'; use layers without running statistics"):
        network(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), FACTS)


def test_batch_statistics_that_do_not_run_are_taken():
    norm = nn.BatchNorm1d(4, track_running_stats=False)
    fitted = network(nn.Sequential(norm, nn.Linear(4, 3)), FACTS)
    assert fitted.layers == {"0": slice(0, 8), "1": slice(8, 23)}


def test_parameters_that_layers_share_are_refused():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    with pytest.raises(ConfigError, match="model Sequential has '1.weight' twice; give each layer its own parameters"):
        network(nn.Sequential(first, second, nn.Linear(4, 3)), FACTS)


def test_fitting_a_module_draws_nothing_from_the_global_generator():
    module = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3))
    before = torch.get_rng_state()
    network(module, FACTS)
    assert torch.get_rng_state().equal(before)


def test_a_module_of_another_input_shape_is_refused():
    with pytest.raises(ConfigError, match=r"model Linear does not take inputs of shape \[4\]"):
        network(nn.Linear(9, 3), FACTS)


def test_a_module_of_another_number_of_classes_is_refused():
    with pytest.raises(ConfigError, match=r"gives outputs of shape \[2\]; it must give \[3\]"):
        network(nn.Linear(4, 2), FACTS)


class Several(nn.Module):
    """A module with more than one output."""

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return inputs[:, :3], inputs


def test_a_module_with_several_outputs_is_refused():
    with pytest.raises(ConfigError, match=r"model Several gives a tuple; it must give a tensor \[3\]"):
        network(Several(), FACTS)


def test_scales_start_at_one_and_offsets_at_zero():
    class Scaled:
        def module(self, shape, classes):
            return nn.Sequential(nn.LayerNorm(shape), nn.Linear(*shape, classes))

    start = network(Scaled(), FACTS).initial(stream(0, "model"))
    assert start[:8].tolist() == [1.0] * 4 + [0.0] * 4


def test_glorot_fills_its_interval_and_biases_are_zero():
    weight = glorot((30, 20, 5, 5), stream(0, "model"))
    bound = (6 / (25 * 50)) ** 0.5
    assert 0.99 * bound < weight.abs().max() <= bound
    assert abs(weight.mean()) < 0.02 * bound
    assert glorot((9,), stream(0, "model")).equal(torch.zeros(9))
