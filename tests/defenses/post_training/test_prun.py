import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.contracts import Model
from sparring.defenses import Prun
from sparring.defenses.post_training.prun import activity, least_active
from sparring.errors import ConfigError
from sparring.models import Cnn, LeNet, ResNet18
from sparring.random import stream
from tests.defenses.post_training.models import examples, started, units, written
from tests.settings import Facts

ROOT = Batch(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]))
MODEL = units([2.0, -4.0], [0.5, 0.5], [-3.0, -3.0], [1.0, 4.0])
"""The mean activities on ROOT are 1, 0.5, 0 and 2.5."""


def pruned(rule, model=MODEL, root=ROOT):
    return rule.repair(model, root=root, rng=stream(0))


def silent(model):
    """Return the hidden units without weights."""
    weight = model.network.split(model.parameters)[0]
    return (weight.flatten(1) == 0).all(dim=1).nonzero().flatten().tolist()


def test_activity_is_the_mean_positive_part_over_the_examples():
    assert activity(MODEL.network, MODEL.parameters, layer="0", inputs=ROOT.inputs).tolist() == [1.0, 0.5, 0.0, 2.5]


def test_activity_is_a_mean_over_all_places_of_an_image():
    model, inputs = started(LeNet()), examples().inputs
    weight, bias = model.network.split(model.parameters)[:2]
    normal = model.network.normalize(inputs)
    expected = torch.nn.functional.conv2d(normal, weight, bias, padding=2).relu().mean(dim=(0, 2, 3))
    torch.testing.assert_close(activity(model.network, model.parameters, layer="0", inputs=inputs), expected)


def test_many_examples_have_the_activity_of_all():
    inputs = ROOT.inputs.repeat(1200, 1)[1:]
    measured = activity(MODEL.network, MODEL.parameters, layer="0", inputs=inputs)
    expected = (inputs @ MODEL.network.split(MODEL.parameters)[0].T).relu().mean(dim=0)
    torch.testing.assert_close(measured, expected)


def test_of_equally_active_channels_the_first_go():
    assert least_active(torch.tensor([1.0, 0.0, 1.0, 0.0]), 3).tolist() == [1, 3, 0]


@pytest.mark.parametrize(("share", "gone"), [(0.0, []), (0.24, []), (0.25, [2]), (0.5, [1, 2]), (0.99, [0, 1, 2])])
def test_a_share_of_the_least_active_channels_goes_rounded_down(share, gone):
    assert silent(pruned(Prun(share))) == gone


def test_a_count_stands_in_place_of_a_share():
    assert silent(pruned(Prun(share=0.9, count=1))) == [2]
    assert silent(pruned(Prun(count=0))) == []


def test_what_is_left_answers_as_before():
    inputs = torch.tensor([[1.0, 1.0]])
    # The second unit gives 1 and the third nothing; of 0 + 1 + 0 + 5, 5 is left.
    assert MODEL(inputs).tolist() == [[6.0, -6.0]]
    assert pruned(Prun(0.5))(inputs).tolist() == [[5.0, -5.0]]


@pytest.mark.parametrize("architecture", [Cnn(width=4), ResNet18(width=2)], ids=repr)
def test_only_the_last_convolution_is_pruned(architecture):
    model, root = started(architecture), examples()
    changed = pruned(Prun(0.5), model, root).parameters != model.parameters
    layers = {name for name, where in model.network.layers.items() if changed[where].any()}
    assert layers == ({"4"} if isinstance(architecture, Cnn) else {"10.residual.4"})


@pytest.mark.parametrize("count", [8, 256])
def test_a_count_of_all_channels_or_more_is_refused(count):
    with pytest.raises(ConfigError, match=f"^prun: count={count}; layer '4' has 8 channels, use count < 8$"):
        pruned(Prun(count=count), started(Cnn(width=4)), examples())


def test_a_negative_count_is_refused():
    with pytest.raises(ConfigError, match="^prun: count=-1; use count >= 0$"):
        Prun(count=-1)


@pytest.mark.parametrize("share", [-0.5, 1.0])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ConfigError, match=f"^prun: share={share}; use share >= 0 and below 1$"):
        Prun(share)


def test_the_published_256_of_512_channels_are_the_default_share():
    assert Prun().share == 256 / 512


def test_a_model_that_is_not_finite_is_pruned_all_the_same():
    lost = Model(MODEL.network, torch.full_like(MODEL.parameters, torch.nan))
    assert len(silent(pruned(Prun(0.5), lost))) == 2


def test_units_of_a_linear_layer_are_its_last_dimension_whatever_rows_there_are():
    module = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2, bias=False))
    rows = Facts((3, 2), 2, (0.0,), (1.0,))
    model = written(module, rows, [[2.0, -4.0], [0.5, 0.5], [-3.0, -3.0], [1.0, 4.0]], [[1.0] * 12] * 2)
    inputs = ROOT.inputs[:, None].expand(2, 3, 2)
    assert activity(model.network, model.parameters, layer="0", inputs=inputs).tolist() == [1.0, 0.5, 0.0, 2.5]
