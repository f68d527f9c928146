import json

import pytest
import torch
from safetensors.torch import save

from sparring.attacks import LearnedTrigger, load_trigger, save_trigger
from sparring.attacks.backdoor.triggers.trigger_network import initialize_trigger
from sparring.conformance import failures
from sparring.conformance.check import format_check_name
from sparring.conformance.models import GRAY
from sparring.conformance.triggers import TRIGGER_CHECKS
from sparring.errors import ConfigError
from sparring.random import stream
from tests.attacks.backdoor.triggers.pictures import images

SHAPE = (1, 12, 10)


@pytest.fixture
def network():
    return initialize_trigger(SHAPE, epsilon=0.05, width=4, rng=stream(0, "weights"))


@pytest.fixture
def file(network, tmp_path):
    save_trigger(tmp_path / "trigger.safetensors", network)
    return tmp_path / "trigger.safetensors"


def test_no_pixel_changes_by_more_than_the_bound_or_leaves_its_range(network):
    pictures = images(3, SHAPE)
    stamped = network.stamp(pictures)
    assert 0 < (stamped - pictures).abs().max() <= 0.05 + 1e-6
    assert stamped.min() >= 0
    assert stamped.max() <= 1


def test_images_are_changed_in_different_ways(network):
    one, other = 0.3 + 0.4 * images(2, SHAPE)
    change = network.stamp(torch.stack([one, other])) - torch.stack([one, other])
    assert not torch.allclose(change[0], change[1])


def test_what_was_saved_stamps_alike(network, file):
    pictures = images(2, SHAPE)
    assert torch.equal(load_trigger(file).stamp(pictures), network.stamp(pictures))


def test_a_trigger_in_a_configuration_names_its_file(network, file):
    pictures = images(2, SHAPE)
    stamped = LearnedTrigger(str(file)).stamp(pictures)
    assert torch.equal(stamped, network.stamp(pictures))
    assert not stamped.requires_grad


@pytest.mark.parametrize("check", TRIGGER_CHECKS, ids=format_check_name)
def test_a_learned_trigger_conforms(check, tmp_path):
    made = initialize_trigger(tuple(GRAY.inputs(1).shape[1:]), epsilon=0.05, width=4, rng=stream(0, "weights"))
    save_trigger(tmp_path / "trigger.safetensors", made)
    assert failures(check, LearnedTrigger(str(tmp_path / "trigger.safetensors"))) == ()


def test_images_of_another_shape_are_refused(file):
    message = (
        r"^trigger learned: it was made for images of shape \[1, 12, 10\], not \[3, 32, 32\]; train one for these$"
    )
    with pytest.raises(ConfigError, match=message):
        LearnedTrigger(str(file)).stamp(torch.zeros(1, 3, 32, 32))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"^trigger\.file is '.*none'; there is no such file, write one with save_tr"):
        LearnedTrigger(str(tmp_path / "none")).stamp(images(1))


@pytest.mark.parametrize(
    "content",
    [
        b"nothing of the kind",
        save({"weight": torch.zeros(2)}),
        save({"weight": torch.zeros(2)}, {"trigger": json.dumps({"shape": [1, 2, 2], "epsilon": 0.1, "width": 4})}),
        save({"weight": torch.zeros(2)}, {"trigger": json.dumps({"shape": 3})}),
    ],
    ids=["no safetensors", "of something else", "other weights", "no shape"],
)
def test_a_file_that_holds_no_trigger_is_refused(content, tmp_path):
    (tmp_path / "trigger").write_bytes(content)
    with pytest.raises(ConfigError, match=r"^trigger\.file is '.*trigger'; it holds no learned trigger"):
        load_trigger(tmp_path / "trigger")
