import pytest
import torch

from sparring.arrays import Batch
from sparring.data import with_validation
from sparring.errors import ConfigError, DataError
from sparring.random import stream
from tests.data.examples import byte_images, dataset

LABELS = torch.tensor([0, 1, 2])
IMAGES = torch.zeros(3, 1, 4, 4)
BYTES = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)


def test_a_data_set_knows_the_shape_of_an_example():
    assert dataset().shape == (1, 4, 4)


def test_feature_vectors_have_one_mean_altogether():
    vectors = Batch(torch.zeros(3, 7), LABELS)
    assert dataset(train=vectors, test=vectors).shape == (7,)


def test_a_data_set_holds_the_very_tensors_it_was_given():
    train = byte_images(12)
    assert dataset(train=train).train.inputs is train.inputs


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (IMAGES.double(), "tiny: train inputs are torch.float64 .*; give uint8 images"),
        (BYTES.flatten(1), r"are torch.uint8 \(3, 16\); give uint8 images \[examples, channels, height, width\]"),
        (torch.zeros(3), "give uint8 images"),
        (torch.tensor(1.0), "give uint8 images"),
        (BYTES[:0], "are empty"),
        (torch.zeros(3, 0), "are empty"),
        (IMAGES - torch.inf, "NaN or infinite"),
        (torch.full((3, 5), torch.nan), "NaN or infinite"),
        (IMAGES + 255, r"run from 255 to 255; scale float images to \[0, 1\]"),
        (IMAGES - 0.5, "run from -0.5 to -0.5"),
    ],
)
def test_inputs_that_no_model_takes_are_refused(inputs, message):
    with pytest.raises(DataError, match=message):
        dataset(train=Batch(inputs, LABELS))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.int(), "tiny: train labels are torch.int32"),
        (LABELS.unsqueeze(1), "give int64"),
        (LABELS[:2], "number 2; there are 3 inputs"),
        (LABELS + 1, "run from 1 to 3; with 3 classes they must be 0 to 2"),
        (LABELS - 1, "run from -1 to 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        dataset(train=Batch(BYTES, labels))


@pytest.mark.parametrize("split", ["test", "validation"])
def test_every_split_is_checked(split):
    with pytest.raises(DataError, match=f"tiny: {split} labels run from 7 to 9"):
        dataset(**{split: Batch(BYTES, LABELS + 7)})


@pytest.mark.parametrize("inputs", [IMAGES, torch.zeros(3, 1, 5, 5, dtype=torch.uint8)])
def test_splits_that_differ_in_kind_are_refused(inputs):
    with pytest.raises(DataError, match="they must be alike"):
        dataset(test=Batch(inputs, LABELS))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 1}, "classes is 1; it must be at least 2"),
        ({"mean": (0.5, 0.5)}, "2 means and 1 deviations are given; its examples have 1 channel"),
        ({"mean": (), "std": ()}, "0 means"),
        ({"std": (0.0,)}, "std positive"),
        ({"mean": (float("nan"),)}, "must be finite"),
    ],
)
def test_facts_that_cannot_be_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        dataset(**changes)


class TestValidation:
    def test_it_is_taken_out_of_the_training_data(self):
        split = with_validation(dataset(100), 0.2, rng=stream(0, "validation"))
        kept, held = split.train.inputs[:, 0, 0, 0], split.validation.inputs[:, 0, 0, 0]
        assert (len(kept), len(held)) == (80, 20)
        assert sorted(torch.cat([kept, held]).tolist()) == list(range(100))

    def test_labels_stay_with_their_inputs(self):
        split = with_validation(dataset(30), 0.5, rng=stream(0, "validation"))
        for batch in (split.train, split.validation):
            assert torch.equal(batch.inputs[:, 0, 0, 0] % 3, batch.labels)

    def test_it_depends_on_the_stream_alone(self):
        one, again, other = (with_validation(dataset(100), 0.5, rng=stream(seed, "validation")) for seed in (0, 0, 1))
        assert torch.equal(one.validation.inputs, again.validation.inputs)
        assert not torch.equal(one.validation.inputs, other.validation.inputs)

    def test_no_share_copies_nothing(self):
        whole = dataset()
        assert with_validation(whole, 0.0, rng=stream(0, "validation")) is whole

    def test_the_original_is_left_alone(self):
        whole = dataset(100)
        with_validation(whole, 0.5, rng=stream(0, "validation"))
        assert torch.equal(whole.train.inputs, byte_images(100).inputs)
        assert whole.validation is None

    @pytest.mark.parametrize("share", [-0.1, 1.0, 2.0, float("nan")])
    def test_a_share_out_of_range_is_refused(self, share):
        with pytest.raises(ConfigError, match="it must be at least 0 and below 1"):
            with_validation(dataset(), share, rng=stream(0, "validation"))

    @pytest.mark.parametrize("share", [0.01, 0.99])
    def test_neither_side_may_be_left_empty(self, share):
        with pytest.raises(ConfigError, match="of 12 examples; leave some on either side"):
            with_validation(dataset(12), share, rng=stream(0, "validation"))

    def test_a_second_one_is_refused(self):
        with pytest.raises(ConfigError, match="'tiny' already has a validation split"):
            with_validation(dataset(validation=byte_images(3)), 0.5, rng=stream(0, "validation"))


def test_there_is_a_name_for_each_class_or_none():
    assert dataset(class_names=tuple("abc")).class_names == ("a", "b", "c")
    with pytest.raises(DataError, match="2 class names are given; it has 3 classes"):
        dataset(class_names=("a", "b"))
