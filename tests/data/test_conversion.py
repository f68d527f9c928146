import numpy as np
import pytest
import torch

from sparring.data import Dataset, Moments, from_arrays
from sparring.errors import DataError
from sparring.random import stream

IMAGES = stream(0, "images").integers(0, 256, (6, 5, 5), dtype=np.uint8)
VECTORS = stream(0, "vectors").standard_normal((6, 4), dtype=np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def convert(inputs: object, labels: object = LABELS, **options: object) -> Dataset:
    return from_arrays("mine", train=(inputs, labels), test=(inputs, labels), **options)


def test_gray_images_get_a_channel_axis():
    assert convert(IMAGES).train.inputs.shape == (6, 1, 5, 5)
    assert convert(IMAGES / 255.0).train.inputs.shape == (6, 1, 5, 5)


def test_bytes_stay_bytes_and_share_memory():
    images = IMAGES.copy()
    converted = convert(images).train.inputs
    images[0, 0, 0] ^= 255
    assert converted.dtype == torch.uint8
    assert converted[0, 0, 0, 0] == images[0, 0, 0]


def test_tensors_share_memory():
    vectors = torch.from_numpy(VECTORS).requires_grad_()
    converted = convert(vectors, torch.from_numpy(LABELS)).train
    assert converted.inputs.data_ptr() == vectors.data_ptr()
    assert not converted.inputs.requires_grad


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_become_float32(dtype):
    converted = convert(VECTORS.astype(dtype)).train.inputs
    assert converted.dtype == torch.float32
    np.testing.assert_allclose(converted.numpy(), VECTORS, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint64, ">i8"])
def test_labels_become_int64(dtype):
    converted = convert(VECTORS, LABELS.astype(dtype)).train.labels
    assert converted.dtype == torch.int64
    assert converted.tolist() == LABELS.tolist()


def test_arrays_of_any_layout_are_taken():
    frozen = VECTORS.copy()
    frozen.flags.writeable = False
    for inputs in (frozen, np.asfortranarray(VECTORS), VECTORS[::-1]):
        np.testing.assert_array_equal(convert(inputs).train.inputs.numpy(), inputs)


def test_classes_are_counted_over_all_splits():
    options = {"train": (VECTORS, LABELS), "test": (VECTORS, LABELS + 1), "validation": (VECTORS, LABELS + 4)}
    assert from_arrays("mine", **options).classes == 7
    assert from_arrays("mine", classes=10, **options).classes == 10


def test_mean_and_std_are_those_of_the_training_inputs():
    converted = convert(IMAGES)
    assert converted.mean == pytest.approx([IMAGES.mean() / 255])
    assert converted.std == pytest.approx([IMAGES.std() / 255])


def test_mean_and_std_may_be_given():
    given = Moments(mean=(0.1,), std=(0.2,))
    converted = convert(IMAGES, normalization=given)
    assert (converted.mean, converted.std) == given


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (VECTORS.astype(int), LABELS, "mine: train inputs are torch.int64; give uint8 images or floats"),
        (VECTORS.astype(complex), LABELS, "give uint8 images or floats"),
        (VECTORS.astype(object), LABELS, "mine: train inputs are object; give numbers"),
        (VECTORS, LABELS / 2, "mine: train labels are torch.float64; give integers from 0"),
        (VECTORS, LABELS > 0, "torch.bool; give integers"),
        (VECTORS, np.array(["a", "b"]), "mine: train labels are <U1; give numbers"),
        (VECTORS, np.eye(6, dtype=int), r"mine: train labels are torch.int64 \(6, 6\)"),
        (VECTORS[:5], LABELS, "mine: train labels number 6; there are 5 inputs"),
        (VECTORS[:0], LABELS[:0], "mine: train split holds no example"),
        (np.float32(1), LABELS, "give uint8 images"),
        (VECTORS.astype(np.float64) * 1e300, LABELS, "NaN or infinite"),
        (np.zeros((6, 32, 32, 3), np.uint8), LABELS, "channels last"),
        (IMAGES.reshape(6, 25), LABELS, "give uint8 images"),
    ],
)
def test_arrays_that_make_no_data_set_are_refused(inputs, labels, message):
    with pytest.raises(DataError, match=message):
        convert(inputs, labels)
