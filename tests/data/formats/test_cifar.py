import numpy as np
import pytest

from sparring.data.formats.cifar import read_cifar
from sparring.errors import DataError
from tests.data.formats.writing import cifar


def test_a_record_is_a_label_and_an_image():
    images, labels = read_cifar("part", cifar([3, 9, 0]), examples=3, classes=[10])
    assert labels.tolist() == [[3], [9], [0]]
    assert images.shape == (3, 3, 32, 32)
    assert [set(image.ravel()) for image in images] == [{4}, {10}, {1}]


def test_pixels_come_channel_by_channel_and_row_by_row():
    pixels = np.arange(3072).astype(np.uint8)
    images, _ = read_cifar("part", b"\0" + pixels.tobytes(), examples=1, classes=[10])
    assert images[0, 2, 1, 5] == pixels[2 * 1024 + 1 * 32 + 5]


def test_every_kind_of_label_has_a_column():
    images, labels = read_cifar("part", cifar([70, 99], coarse=19), examples=2, classes=[20, 100])
    assert labels.tolist() == [[19, 70], [19, 99]]
    assert [set(image.ravel()) for image in images] == [{71}, {100}]


@pytest.mark.parametrize(("coarse", "fine"), [(20, 3), (3, 100)])
def test_every_kind_of_label_has_its_own_bound(coarse, fine):
    with pytest.raises(
        DataError, match=f"record 0 has label {max(coarse, fine)}; it must be 0 to {max(coarse, fine) - 1}"
    ):
        read_cifar("part", cifar([fine], coarse=coarse), examples=1, classes=[20, 100])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "part: it has 0 bytes; 2 records have 6146"),
        (cifar([0, 1])[:-1], "part: it has 6145 bytes"),
        (cifar([0, 1, 2]), "part: it has 9219 bytes"),
        (cifar([0, 10]), "part: record 1 has label 10; it must be 0 to 9"),
    ],
)
def test_malformed_content_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        read_cifar("part", content, examples=2, classes=[10])
