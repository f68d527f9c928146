"""The published data sets themselves."""

import gzip

import pytest

from sparring.data import Cifar10, FashionMnist, Mnist
from sparring.data.normalization import moments
from tests.data.formats.writing import write

pytestmark = pytest.mark.data

FIRST_LABELS = {
    Mnist(): [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    FashionMnist(): [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    Cifar10(): [6, 9, 9, 4, 1, 1, 2, 7, 8, 3],
}
SHAPES = {Mnist(): (60_000, 1, 28, 28), FashionMnist(): (60_000, 1, 28, 28), Cifar10(): (50_000, 3, 32, 32)}


@pytest.mark.parametrize("source", SHAPES, ids=repr)
def test_the_data_are_the_known_ones(source):
    data = source.load()
    assert data.train.inputs.shape == SHAPES[source]
    assert data.train.labels[:10].tolist() == FIRST_LABELS[source]
    assert len(data.test.labels) == 10_000


@pytest.mark.parametrize("source", SHAPES, ids=repr)
def test_the_published_mean_and_std_are_those_of_the_training_images(source):
    data = source.load()
    measured = moments(data.train.inputs)
    assert data.mean == pytest.approx(measured.mean, abs=1e-4)
    assert data.std == pytest.approx(measured.std, abs=1e-4)


def test_files_unpacked_by_hand_are_recognized(data_root, given):
    for packed in (data_root / "mnist").glob("*.gz"):
        write(given / "mnist" / packed.stem, gzip.decompress(packed.read_bytes()))
    assert len(Mnist().load().train.labels) == 60_000
