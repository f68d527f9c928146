"""Every architecture in the catalogue, and the published ones in numbers."""

import pytest
import torch

from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.models import MODEL_CHECKS
from sparring.errors import ConfigError, UnknownName
from sparring.models import MODELS, Cnn, Cnn7, LeNet, Logistic, Mlp, ResNet18, StridedCnn, network
from sparring.random import stream
from sparring.registry import build
from tests.settings import Facts

EXAMPLES = {
    "cnn": (Cnn(width=4),),
    "cnn7": (Cnn7(),),
    "lenet": (LeNet(),),
    "logistic": (Logistic(),),
    "mlp": (Mlp(hidden=8),),
    "resnet18": (ResNet18(width=2), ResNet18(width=2, norm="batch")),
    "strided_cnn": (StridedCnn(channels=(3, 4), hidden=5), StridedCnn((3, 4), 3, (2, 1), padding=1, pool=2, hidden=5)),
}
ARCHITECTURES = [each for examples in EXAMPLES.values() for each in examples]
COLOR = Facts((3, 32, 32), 7, (0.5,) * 3, (0.2,) * 3)


def test_every_architecture_has_an_example():
    assert EXAMPLES.keys() == MODELS.keys()
    for name, examples in EXAMPLES.items():
        assert {type(each) for each in examples} == {MODELS[name]}


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=format_check_name)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_an_architecture_conforms(architecture, check):
    assert failures(check, architecture) == ()


def test_the_published_cnn_has_710218_parameters_on_mnist():
    assert network(Cnn(), Facts()).size == 64 * (64 + 1) + 128 * (64 * 36 + 1) + 128 * (128 * 25 + 1) + 10 * 129


def test_the_last_layer_of_the_published_cnn_has_1290_parameters():
    last = list(network(Cnn(), Facts()).layers.values())[-1]
    assert last.stop - last.start == 1290


def test_marl_s_network_has_30_channels_and_200_units():
    facts = Facts((3, 32, 32), 10, (0.5,) * 3, (0.2,) * 3)
    assert network(Cnn7(), facts).size == 30 * (27 + 1) + 200 * (30 * 15 * 15 + 1) + 10 * 201


def test_elu_lets_negative_signals_through():
    smooth, sharp = (network(Cnn(width=2, activation=name), Facts()) for name in ("elu", "relu"))
    parameters = smooth.initial(stream(0, "model"))
    image = torch.rand(1, 1, 28, 28)
    assert not smooth.forward(smooth.split(parameters), image).equal(sharp.forward(sharp.split(parameters), image))


def test_the_published_resnet_has_11173962_parameters_whatever_its_norm():
    facts = Facts((3, 32, 32), 10, (0.5,) * 3, (0.2,) * 3)
    assert {network(ResNet18(norm=norm), facts).size for norm in ("group", "batch")} == {11_173_962}


R2T2 = {
    "MNIST": (StridedCnn(), (1, 28, 28), 10, 92_330),
    "CIFAR-10": (StridedCnn((128, 128, 512), 3, (2, 2, 2), pool=3, hidden=256), (3, 32, 32), 10, 875_402),
    "two classes of ImageNet": (
        StridedCnn((64, 64, 64, 512), 5, (4, 3, 2, 1), padding=2, pool=7, hidden=128),
        (3, 256, 256),
        2,
        1_095_426,
    ),
    "1 against 7": (StridedCnn((16, 16), 3, (2, 2), hidden=32), (1, 28, 28), 2, 160 + 2_320 + 18_464 + 66),
}


@pytest.mark.parametrize(("architecture", "shape", "classes", "size"), R2T2.values(), ids=R2T2)
def test_r2t2_s_networks_have_as_many_parameters_as_it_says(architecture, shape, classes, size):
    channels = shape[0]
    assert network(architecture, Facts(shape, classes, (0.5,) * channels, (0.2,) * channels)).size == size


@pytest.mark.parametrize("architecture", [StridedCnn(), R2T2["CIFAR-10"][0], R2T2["two classes of ImageNet"][0]])
def test_the_smallest_images_that_an_error_names_are_accepted(architecture):
    with pytest.raises(ConfigError, match=r"use images of at least (\d+)×\1 pixels$") as caught:
        network(architecture, Facts((1, 1, 1)))
    side = int(str(caught.value).rpartition("×")[2].removesuffix(" pixels"))
    assert network(architecture, Facts((1, side, side))).size > 0
    with pytest.raises(ConfigError, match="use images of at least"):
        network(architecture, Facts((1, side, side - 1)))


def images(number: int) -> torch.Tensor:
    return torch.rand(number, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def resnet_logits(norm: str, inputs: torch.Tensor) -> torch.Tensor:
    fitted = network(ResNet18(width=2, norm=norm), COLOR)
    return fitted.forward(fitted.split(fitted.initial(stream(0, "model"))), inputs)


def test_group_normalization_treats_each_example_by_itself():
    torch.testing.assert_close(resnet_logits("group", images(5))[:2], resnet_logits("group", images(5)[:2]))


def test_batch_normalization_takes_the_statistics_of_what_passes_together():
    mixed = images(5)
    alone = resnet_logits("batch", mixed[:1])
    torch.testing.assert_close(resnet_logits("batch", mixed[:1].expand(3, -1, -1, -1))[:1], alone)
    assert (resnet_logits("batch", mixed)[:1] - alone).abs().max() > 1e-3


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_the_smallest_images_of_a_resnet_may_come_one_by_one(norm):
    fitted = network(ResNet18(width=2, norm=norm), Facts((1, 9, 9)))
    parameters = fitted.split(fitted.initial(stream(0, "model")))
    assert fitted.forward(parameters, torch.rand(1, 1, 9, 9)).isfinite().all()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"name": "cnn", "width": 0}, "cnn.width is 0; it must be at least 1"),
        ({"name": "mlp", "hidden": 0}, "mlp.hidden is 0; it must be at least 1"),
        ({"name": "resnet18", "width": 0}, "resnet18.width is 0; it must be a positive multiple of 2"),
        ({"name": "resnet18", "width": 3}, "resnet18.width is 3"),
        ({"name": "resnet18", "norm": "layer"}, "model.norm is 'layer'; it must be 'group' or 'batch'"),
        ({"name": "cnn", "activation": "tanh"}, "model.activation is 'tanh'"),
        ({"name": "strided_cnn", "channels": [4]}, "strided_cnn has 1 channels and 2 strides; give one of each"),
        ({"name": "strided_cnn", "strides": [2, 0]}, r"strided_cnn.strides is \(2, 0\); it must be at least 1"),
        ({"name": "strided_cnn", "padding": -1}, "strided_cnn.padding is -1; it must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(section, message):
    with pytest.raises(ConfigError, match=message):
        build("model", MODELS, section)


def test_an_unknown_option_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'width'"):
        build("model", MODELS, {"name": "cnn", "widht": 3})


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        (Cnn(), (1, 8, 8)),
        (LeNet(), (784,)),
        (Cnn7(), (1, 3, 3)),
        (ResNet18(), (1, 8, 8)),
        (ResNet18(), (784,)),
        (StridedCnn(), (784,)),
    ],
)
def test_images_that_are_too_small_are_refused(architecture, shape):
    with pytest.raises(ConfigError, match="use images of at least"):
        network(architecture, Facts(shape))
