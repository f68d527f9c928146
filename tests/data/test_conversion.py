import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sparring.arrays import Batch
from sparring.data import Dataset, Iid, Moments, divide, from_arrays
from sparring.defenses import Mean
from sparring.errors import ConfigError, DataError
from sparring.federation import Federation, Scenario, train
from sparring.models import Cnn, LeNet, Logistic, Mlp, network
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
        (VECTORS[:0], LABELS[:0], "mine: train split is empty"),
        (np.float32(1), LABELS, "give uint8 images"),
        (VECTORS.astype(np.float64) * 1e300, LABELS, "NaN or infinite"),
        (np.zeros((6, 32, 32, 3), np.uint8), LABELS, "channels last"),
        (IMAGES.reshape(6, 25), LABELS, "give uint8 images"),
    ],
)
def test_arrays_that_make_no_data_set_are_refused(inputs, labels, message):
    with pytest.raises(DataError, match=message):
        convert(inputs, labels)


SERIES = stream(0, "series").standard_normal((6, 3, 20), dtype=np.float32)


class Filters(nn.Module):
    """A model of series with three channels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(3, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.layers(inputs)


@pytest.mark.parametrize("model", [Filters(), Filters().layers, Mlp(hidden=4), Logistic()])
def test_series_keep_their_shape_and_train_what_takes_them(model):
    data = convert(SERIES)
    assert data.shape == (3, 20)
    assert data.mean == pytest.approx([SERIES.mean()], abs=1e-6)
    shards = divide(data.train, Iid(), clients=2, seed=0)
    federation = Federation(network=network(model, data), shards=shards, test=data.test, sampled=2)
    (last,) = train(Scenario(federation, Mean(), []), rounds=1, every=1).records[-1:]
    assert last.loss is not None


@pytest.mark.parametrize("model", [Cnn(), LeNet()])
def test_a_model_of_images_says_what_it_takes_instead_of_series(model):
    with pytest.raises(ConfigError, match=r"inputs of shape \[3, 20\]; use images"):
        network(model, convert(SERIES))


def test_one_split_with_the_values_of_series_makes_series_of_all():
    data = from_arrays("mine", train=(SERIES, LABELS), test=(SERIES.clip(0, 1), LABELS), validation=(SERIES, LABELS))
    assert [split.inputs.shape for split in (data.train, data.test, data.validation)] == [(6, 3, 20)] * 3


def test_whole_numbers_of_three_dimensions_may_be_either_and_are_asked_about():
    with pytest.raises(
        DataError, match=r"mine: train inputs are \[6, 5, 5\], whole numbers from \d+ to 2\d\d; divide images"
    ):
        convert(IMAGES.astype(np.float32))
    assert convert(IMAGES.astype(np.float32) - 128).shape == (5, 5)


@pytest.mark.parametrize("shape", [(6, 7), (6, 2, 3, 4, 5), (6, 1, 1, 1, 1, 2)])
def test_other_shapes_are_kept_whatever_their_values(shape):
    data = convert(100 * stream(0, "any").standard_normal(shape))
    assert data.shape == shape[1:]
    assert len(data.mean) == 1
    shards = divide(data.train, Iid(), clients=2, seed=0)
    federation = Federation(network=network(Logistic(), data), shards=shards, test=data.test, sampled=2)
    assert train(Scenario(federation, Mean(), []), rounds=1).records


def test_a_data_set_itself_takes_series_of_any_values():
    series = Batch(torch.rand(6, 3, 20), torch.from_numpy(LABELS))
    assert Dataset(name="mine", train=series, test=series, classes=3, mean=(0.5,), std=(0.3,)).shape == (3, 20)


def test_four_dimensions_with_other_values_get_advice():
    with pytest.raises(
        DataError,
        match=r"to [\d.]+; scale float images to \[0, 1\] or give uint8, and flatten inputs that are not images",
    ):
        convert(stream(0, "normal").standard_normal((6, 3, 8, 8)))


FRAME = pd.DataFrame(VECTORS, columns=list("abcd"))


@pytest.mark.parametrize(
    "inputs",
    [
        VECTORS.tolist(),
        tuple(map(tuple, VECTORS.tolist())),
        list(VECTORS),
        FRAME,
        FRAME.astype("float64"),
        np.ma.masked_invalid(VECTORS),
        torch.from_numpy(VECTORS).to_sparse(),
        torch.from_numpy(VECTORS).bfloat16(),
    ],
)
def test_rows_and_tables_are_taken(inputs):
    converted = convert(inputs).train.inputs
    assert converted.dtype == torch.float32
    np.testing.assert_allclose(converted.numpy(), VECTORS, rtol=1e-2)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.tolist(),
        LABELS.astype(np.float32),
        LABELS.astype(np.float64).tolist(),
        torch.from_numpy(LABELS).half(),
        LABELS[:, None],
        pd.Series(LABELS, index=range(10, 16)),
        pd.Series(LABELS, dtype="Int64"),
        pd.Series(LABELS, dtype="category"),
        pd.DataFrame({"class": LABELS}),
    ],
)
def test_labels_of_any_kind_that_are_whole_numbers_are_taken(labels):
    converted = convert(VECTORS, labels).train.labels
    assert converted.dtype == torch.int64
    assert converted.tolist() == LABELS.tolist()


def test_the_moments_may_be_plain_numbers():
    given = convert(IMAGES, normalization=(0.25, np.float32(0.5)))
    assert (given.mean, given.std) == ((0.25,), (0.5,))


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (VECTORS, LABELS + 0.5, "mine: train labels are torch.float64; give integers from 0, not 0.5"),
        (VECTORS, [0, 1, 2, 0, 1, np.nan], "give integers from 0, not nan"),
        (VECTORS, [0, 1, 2, 0, 1, np.inf], "give integers from 0, not inf"),
        (VECTORS, [0, 1, 2, 0, 1, 1e300], r"give integers from 0, not 1e\+300"),
        (VECTORS, LABELS - 1.0, "labels are torch.float64; give integers from 0, not -1"),
        (VECTORS, -(LABELS % 2), "labels are torch.int64; give integers from 0, not -1"),
        (
            VECTORS,
            list("abcabc"),
            r"labels are <U1; give numbers from 0; numpy.searchsorted\(sorted_names, labels\)",
        ),
        (VECTORS, pd.Series(list("abcabc")), "labels are object; give numbers from 0; numpy.searchsorted"),
        (VECTORS, np.eye(6), r"labels are torch.float64 \(6, 6\); give one number per example, such as the argmax"),
        (VECTORS, 2, "labels number 1; there are 6 inputs"),
        (VECTORS, None, "labels are object; give numbers"),
        (VECTORS.tolist()[:5], LABELS, "labels number 6; there are 5 inputs"),
        (
            [[1.0, 2.0], [3.0]],
            [0, 1],
            "inputs are a list that numpy cannot convert to an array .*; give rows of numbers, all of",
        ),
        ([], [], "train split is empty"),
        ({"a": 1}, LABELS, "inputs are object; give numbers"),
        (FRAME.assign(e="text"), LABELS, "inputs are object; give numbers"),
        (FRAME.astype("Float32"), LABELS, "inputs are object; give numbers that torch knows, such as float32"),
        (FRAME > 0, LABELS, "inputs are torch.bool; give uint8 images or floats"),
        (FRAME.where(FRAME < 0), LABELS, "inputs hold NaN or infinite values"),
        (np.where(SERIES < 0, np.nan, SERIES), LABELS, "inputs hold NaN or infinite values"),
        (np.ma.masked_less(VECTORS, 0), LABELS, "inputs have masked values; drop or replace them"),
        ([torch.zeros(4, requires_grad=True)] * 6, LABELS, "inputs are a list that numpy cannot convert to an array"),
        (np.array(["2026-01-01"] * 6, dtype="datetime64[D]"), LABELS, r"inputs are datetime64\[D\]; give numbers"),
        (np.zeros(6, dtype=[("a", "f4")]), LABELS, "give numbers"),
    ],
)
def test_what_makes_no_data_set_is_refused_in_one_line(inputs, labels, message):
    with pytest.raises(DataError, match=message) as refusal:
        convert(inputs, labels)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("pair", [VECTORS, None, (VECTORS,), (VECTORS, LABELS, LABELS), {"x": 1, "y": 2}, "xy"])
def test_a_split_that_is_no_pair_is_named(pair):
    with pytest.raises(DataError, match="mine: test is one .*; give a pair of inputs and labels"):
        from_arrays("mine", train=(VECTORS, LABELS), test=pair)


@pytest.mark.parametrize("kind", [int, float])
def test_labels_of_a_mixed_table_are_numbers(kind):
    labels = pd.Series([kind(label) for label in LABELS.tolist()], dtype=object)
    assert convert(VECTORS, labels).train.labels.tolist() == LABELS.tolist()
