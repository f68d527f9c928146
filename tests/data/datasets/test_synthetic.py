import pytest
import torch

from sparring.data import Synthetic
from sparring.errors import ConfigError


def test_every_class_is_equally_frequent():
    data = Synthetic(classes=4, features=3, examples=40).load()
    assert data.train.labels.bincount().tolist() == [10] * 4
    assert data.test.labels.bincount().tolist() == [3, 3, 2, 2]
    assert data.shape == (3,)


def test_classes_are_unit_gaussians_around_centers_as_far_as_asked():
    data = Synthetic(classes=2, features=20, examples=20_000, separation=7.0).load()
    for label in range(2):
        members = data.train.inputs[data.train.labels == label]
        assert members.mean(dim=0).norm() == pytest.approx(7.0, abs=0.1)
        torch.testing.assert_close(members.std(dim=0), torch.ones(20), atol=0.05, rtol=0)


def test_training_and_test_examples_share_centers_and_nothing_else():
    data = Synthetic(classes=2, features=5, examples=8000, separation=9.0).load()
    centers = [split.inputs[split.labels == 1].mean(dim=0) for split in (data.train, data.test)]
    torch.testing.assert_close(*centers, atol=0.2, rtol=0)
    assert not torch.isin(data.test.inputs[:, 0], data.train.inputs[:, 0]).all()


def test_the_data_depend_on_the_seed_alone():
    one, again, other = (Synthetic(seed=seed).load() for seed in (0, 0, 1))
    assert torch.equal(one.train.inputs, again.train.inputs)
    assert not torch.equal(one.train.inputs, other.train.inputs)


def test_no_separation_is_noise():
    data = Synthetic(classes=2, features=4, examples=8000, separation=0.0).load()
    means = [data.train.inputs[data.train.labels == label].mean(dim=0) for label in range(2)]
    assert (means[0] - means[1]).abs().max() < 0.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 1}, "synthetic: classes is 1; it must be 2 to 1000000000"),
        ({"features": 0}, "features is 0"),
        ({"examples": 3}, "examples is 3"),
        ({"separation": -1.0}, "separation is -1.0"),
        ({"separation": float("nan")}, "separation is nan"),
        ({"features": 10**6, "examples": 10**6}, "each must hold at most 1000000000 values"),
        ({"features": 10**6, "classes": 10**6}, "each must hold at most 1000000000 values"),
    ],
)
def test_a_setting_out_of_range_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Synthetic(**options)
