import pytest
import torch
from torch import nn

from sparring.defenses.post_training.chain import activations, add_taps, chain
from sparring.errors import ConfigError
from sparring.models import Cnn, Cnn7, LeNet, Logistic, Mlp, ResNet18, network
from tests.defenses.post_training.models import examples, started, units
from tests.settings import Facts


class Fancy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def forward(self, inputs):
        return self.inside(inputs)


@pytest.mark.parametrize(
    "architecture", [Cnn(width=2), Cnn7(), LeNet(), Logistic(), Mlp(), ResNet18(width=2)], ids=repr
)
def test_the_models_of_the_catalogue_are_chains(architecture):
    fitted = started(architecture).network
    assert chain("neuroclip", fitted) is fitted


@pytest.mark.parametrize(
    ("architecture", "count"),
    [(Cnn(width=2), 3), (Cnn(width=2, activation="elu"), 3), (Mlp(), 1), (LeNet(), 4)],
    ids=repr,
)
def test_every_hidden_activation_is_found(architecture, count):
    assert len(activations("neuroclip", started(architecture).network)) == count


def test_the_blocks_of_a_residual_network_are_activations_beside_those_inside():
    # One ReLU behind the first convolution; of eight blocks, one inside each and one at its end.
    assert len(activations("neuroclip", started(ResNet18(width=2)).network)) == 17


def test_a_model_without_a_hidden_layer_has_none():
    with pytest.raises(
        ConfigError, match="^neuroclip: the model has no hidden activations; use one with a hidden layer$"
    ):
        activations("neuroclip", started(Logistic()).network)


@pytest.mark.parametrize(
    ("module", "label"),
    [(Fancy(), "a Fancy"), (nn.Sequential(Fancy()), r"a Fancy \(0\)")],
)
def test_what_is_no_chain_is_refused(module, label):
    with pytest.raises(
        ConfigError, match=f"^prun: the model has {label}; use a chain of layers, as torch.nn.Sequential is"
    ):
        chain("prun", network(module, Facts()))


def test_a_network_that_is_no_module_is_refused():
    with pytest.raises(ConfigError, match="^prun: the model is a object; use a chain of layers$"):
        chain("prun", object())


def test_a_layer_in_two_places_is_refused():
    twice = nn.ReLU()
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 4), twice, nn.Linear(4, 4), twice, nn.Linear(4, 10))
    with pytest.raises(ConfigError, match="^mm_bm: the model has the layer '4' twice; use a separate layer each time$"):
        chain("mm_bm", network(module, Facts()))


def test_a_tap_changes_what_the_next_layer_is_given_and_leaves_the_network_alone():
    model = units([1.0, 0.0], [0.0, 1.0])
    doubled = add_taps(model.network, {"1": lambda output: 2 * output})
    inputs = torch.tensor([[3.0, 4.0]])
    assert doubled.forward(doubled.split(model.parameters), inputs).tolist() == [[14.0, -14.0]]
    assert model(inputs).tolist() == [[7.0, -7.0]]


def test_taps_can_be_put_behind_taps():
    model = started(Mlp(hidden=3))
    once = add_taps(model.network, {"2": lambda output: output + 1})
    twice = add_taps(once, {"2": lambda output: 3 * output})
    hidden = add_taps(model.network, {"2": lambda output: 3 * (output + 1)})
    inputs = examples().inputs
    assert torch.equal(*(each.forward(each.split(model.parameters), inputs) for each in (twice, hidden)))


class Swish(nn.Module):
    def forward(self, inputs):
        return inputs * inputs.sigmoid()


def test_an_activation_of_a_user_is_refused():
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.ReLU(), nn.Linear(4, 4), Swish(), nn.Linear(4, 10))
    with pytest.raises(ConfigError, match=r"^neuroclip: the model has a Swish \(4\); use layers of torch.nn$"):
        activations("neuroclip", network(module, Facts()))


@pytest.mark.parametrize("layer", [nn.ReLU6(), nn.PReLU(), nn.Hardswish(), nn.Softplus(), nn.SELU()], ids=repr)
def test_any_activation_of_torch_is_found(layer):
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 4), layer, nn.Linear(4, 10))
    assert activations("neuroclip", network(module, Facts())) == ("2",)
