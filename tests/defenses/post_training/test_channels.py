import pytest
import torch
from torch import nn

from sparring.defenses import CLP, MMBM, FinePruning, NeuroClip, Prun
from sparring.defenses.post_training.channels import hidden_channels, kept, masked
from sparring.errors import ConfigError
from sparring.models import Cnn, Cnn7, LeNet, Logistic, Mlp, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import examples, started, units
from tests.settings import Facts


@pytest.mark.parametrize(
    ("architecture", "layers"),
    [
        (Cnn(width=2), ["0", "2", "4"]),
        (Cnn7(), ["0"]),
        (LeNet(), ["0", "3"]),
        (Mlp(), ["1"]),
    ],
    ids=repr,
)
def test_channels_are_those_of_convolutions_and_else_of_hidden_units(architecture, layers):
    assert [channels.layer for channels in hidden_channels("prun", started(architecture).network)] == layers


def test_behind_a_normalization_channels_are_what_it_gives():
    channels = hidden_channels("prun", started(ResNet18(width=2)).network)
    # The first convolution, sixteen in the blocks and three in their shortcuts.
    assert len(channels) == 20
    assert all(isinstance(each.norm, nn.GroupNorm) for each in channels)
    assert channels[-1].layer == "10.residual.4"


def test_a_model_without_a_hidden_layer_is_refused():
    with pytest.raises(ConfigError, match="^clp: the model has no hidden channels; use one with a hidden layer$"):
        hidden_channels("clp", started(Logistic()).network)


def test_a_silent_channel_loses_its_own_weights_and_its_bias():
    network = units([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]).network
    (channels,) = hidden_channels("prun", network)
    mask = kept(network, channels, without=[1])
    assert [tensor.tolist() for tensor in network.split(mask)] == [
        [[True, True], [False, False], [True, True]],
        [[True] * 3, [True] * 3],
    ]


@pytest.mark.parametrize("architecture", [Cnn(width=2), Cnn7(), ResNet18(width=2)], ids=repr)
def test_without_its_last_channels_a_model_is_that_without_what_they_give(architecture):
    model = started(architecture)
    moved = model.parameters + 0.1  # biases and scales that are not those of the start
    last = hidden_channels("prun", model.network)[-1]
    mask = kept(model.network, last, without=[0, 2])

    def cut(layer, inputs, output):
        return output * torch.ones(output.shape[1]).index_fill(0, torch.tensor([0, 2]), 0)[:, None, None]

    pruned = model.network.forward(model.network.split(masked(moved, mask)), examples().inputs)
    handle = model.network.module.get_submodule(last.layer).register_forward_hook(cut)
    expected = model.network.forward(model.network.split(moved), examples().inputs)
    handle.remove()
    torch.testing.assert_close(pruned, expected)


def test_masked_parameters_are_a_copy():
    parameters = torch.tensor([1.0, 2.0, 3.0])
    assert masked(parameters, torch.tensor([True, False, True])).tolist() == [1.0, 0.0, 3.0]
    assert parameters.tolist() == [1.0, 2.0, 3.0]


def frozen(module: nn.Sequential, *layers: int) -> nn.Sequential:
    for layer in layers:
        module[layer].requires_grad_(False)
    return module


def two_convolutions() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 3, 3), nn.GroupNorm(1, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(48, 4), nn.ReLU(), nn.Linear(4, 10)),
    )


@pytest.mark.parametrize(
    ("layers", "found"),
    [((), ["0", "3"]), ((0,), ["3"]), ((2,), ["0"]), ((3,), ["0"]), ((0, 2), ["6"]), ((8,), ["0", "3"])],
)
def test_frozen_channels_do_not_count(layers, found):
    network = started(frozen(two_convolutions(), *layers), Facts((1, 8, 8))).network
    assert [channels.layer for channels in hidden_channels("prun", network)] == found


def test_a_model_whose_hidden_layers_are_all_frozen_is_refused():
    network = started(frozen(two_convolutions(), 0, 2, 6), Facts((1, 8, 8))).network
    message = "^prun: all hidden channels of the model are frozen; use one with a hidden layer that is trained$"
    with pytest.raises(ConfigError, match=message):
        hidden_channels("prun", network)


@pytest.mark.parametrize("repair", [Prun(), CLP(u=0.5), FinePruning(steps=1), NeuroClip(), MMBM(steps=1)], ids=repr)
def test_what_is_frozen_is_the_same_after_a_repair(repair):
    model = started(frozen(two_convolutions(), 0), Facts((1, 8, 8)))
    repaired = repair.repair(model, root=examples(Facts((1, 8, 8))), rng=stream(0, "repair"))
    assert all(repaired.network.constants[name].equal(each) for name, each in model.network.constants.items())
    assert repaired(torch.rand(2, 1, 8, 8)).isfinite().all()


class Twice(nn.Conv2d):
    def forward(self, inputs):
        return super().forward(inputs) + 1


def test_a_convolution_with_a_forward_of_its_own_is_refused():
    module = nn.Sequential(Twice(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 10))
    with pytest.raises(ConfigError, match=r"^clp: the model has a Twice \(0\); use layers of torch.nn$"):
        hidden_channels("clp", started(module, Facts((1, 8, 8))).network)
