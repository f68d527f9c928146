import pytest
import torch

from sparring.data.datasets.digits import Digits
from sparring.errors import ConfigError


@pytest.fixture(scope="module")
def digits():
    return Digits().load()


def test_digits_are_bytes_of_the_size_that_every_model_takes(digits):
    assert digits.shape == (1, 28, 28)
    assert digits.train.inputs.dtype == torch.uint8
    assert Digits(size=8).load().shape == (1, 8, 8)


def test_the_whole_range_of_bytes_is_used(digits):
    assert (digits.train.inputs.min(), digits.train.inputs.max()) == (0, 255)


def test_a_fifth_of_each_class_is_for_testing(digits):
    tested, trained = (split.labels.bincount() for split in (digits.test, digits.train))
    assert (tested + trained).sum() == 1797
    assert (tested / (tested + trained) - 0.2).abs().max() < 0.005


def test_the_split_is_always_the_same(digits):
    again = Digits().load()
    assert torch.equal(again.test.inputs, digits.test.inputs)
    assert torch.equal(again.train.labels, digits.train.labels)


def test_originals_are_recovered_at_their_own_size():
    smallest = Digits(size=8).load()
    originals = smallest.train.inputs.double() * 16 / 255
    assert (originals - originals.round()).abs().max() < 0.05


def test_mean_and_std_are_those_of_the_training_images(digits):
    pixels = digits.train.inputs.double() / 255
    assert digits.mean == pytest.approx([pixels.mean().item()])
    assert digits.std == pytest.approx([pixels.std(correction=0).item()])


@pytest.mark.parametrize("size", [7, 257])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(ConfigError, match=f"digits: size is {size}; it must be 8 to 256"):
        Digits(size=size)
