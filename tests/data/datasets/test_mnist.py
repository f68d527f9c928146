from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sparring.data import FashionMnist, Mnist
from sparring.data.datasets import mnist
from sparring.errors import DataError
from sparring.random import stream
from tests.data.formats.serving import serve
from tests.data.formats.writing import idx, md5, write

IMAGES = stream(0, "images").integers(0, 256, (5, 28, 28))
LABELS = np.array([3, 1, 4, 1, 5])
FILES = {
    "train-images-idx3-ubyte": idx(IMAGES),
    "train-labels-idx1-ubyte": idx(LABELS),
    "t10k-images-idx3-ubyte": idx(IMAGES[:2]),
    "t10k-labels-idx1-ubyte": idx(LABELS[:2]),
}


def publish(monkeypatch, folder: Path, *, suffix: str = "", **changes: bytes) -> Path:
    """Write small files and make them the published ones."""
    named = {name: changes.get(name.split("-idx")[0].replace("-", "_"), content) for name, content in FILES.items()}
    paths = [write(folder / "mnist" / f"{name}{suffix}", content) for name, content in named.items()]
    sums = {path.name: md5(path) for path in paths}
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, checksums=mnist.MNIST.checksums | sums))
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_are_read_packed_and_unpacked(given, monkeypatch, suffix):
    publish(monkeypatch, given, suffix=suffix)
    data = Mnist().load()
    assert data.shape == (1, 28, 28)
    np.testing.assert_array_equal(data.train.inputs[:, 0], IMAGES)
    assert data.train.labels.tolist() == LABELS.tolist()
    assert len(data.test.labels) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train_labels": idx(LABELS + 6)},
            "mnist: train labels run from 7 to 11; with 10 classes they must be 0 to 9",
        ),
        ({"train_labels": idx(LABELS[:4])}, "mnist: train labels number 4; there are 5 inputs"),
        ({"t10k_images": idx(IMAGES[:2, 1:])}, "mnist: test examples are .* they must be alike"),
        ({"t10k_images": idx(LABELS)}, "t10k-images-idx3-ubyte: it starts with 00000801"),
    ],
)
def test_files_that_do_not_fit_are_refused(given, monkeypatch, changes, message):
    publish(monkeypatch, given, **changes)
    with pytest.raises(DataError, match=message):
        Mnist().load()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_of_the_same_name_that_were_never_published_are_refused(given, suffix):
    write(given / "fashion-mnist" / f"train-images-idx3-ubyte{suffix}", FILES["train-images-idx3-ubyte"])
    with pytest.raises(DataError, match="replace it by the published file"):
        FashionMnist().load()


def test_a_file_that_is_nowhere_is_downloaded(given, monkeypatch):
    publish(monkeypatch, given, suffix=".gz")
    packed = given / "mnist" / "t10k-labels-idx1-ubyte.gz"
    content = packed.read_bytes()
    packed.unlink()
    with serve(content) as address:
        monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, mirror=address))
        first = Mnist().load()
    offline = Mnist().load()
    assert offline.test.labels.tolist() == first.test.labels.tolist() == LABELS[:2].tolist()
