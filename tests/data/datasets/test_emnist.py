import gzip
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints
from zipfile import ZipFile

import numpy as np
import pytest

from sparring.data import Emnist
from sparring.data.datasets import emnist
from sparring.errors import DataError
from sparring.random import stream
from tests.data.formats.writing import idx, md5, write

IMAGES = stream(0, "images").integers(0, 256, (4, 28, 28))
LABELS = np.array([1, 26, 2, 1])


def files(split: str = "letters", **changes: bytes) -> dict[str, bytes]:
    """Return the four files of a split, two of its images for testing."""
    contents = {
        "train_images": idx(IMAGES),
        "train_labels": idx(LABELS),
        "test_images": idx(IMAGES[:2]),
        "test_labels": idx(LABELS[:2]),
        **changes,
    }
    return {f"emnist-{split}-{part}-ubyte": contents[part[:-5].replace("-", "_")] for part in emnist.PARTS}


def pack(monkeypatch, folder: Path, contents: dict[str, bytes]) -> None:
    """Write an archive and make it the published one."""
    path = folder / "emnist" / emnist.ARCHIVE
    path.parent.mkdir()
    with ZipFile(path, "w") as archive:
        for name, content in {"gzip/emnist-letters-mapping.txt": b"1 65 97", **contents}.items():
            archive.writestr(name, content)
    monkeypatch.setattr(emnist, "EMNIST", replace(emnist.EMNIST, checksums={emnist.ARCHIVE: md5(path)}))


def unpack(folder: Path, contents: dict[str, bytes], *, pattern: str = "{}") -> None:
    for name, content in contents.items():
        write(folder / "emnist" / pattern.format(name), content)


def packed(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {f"gzip/{name}.gz": gzip.compress(content) for name, content in contents.items()}


def check(split: str = "letters") -> None:
    data = Emnist(split=split).load()
    np.testing.assert_array_equal(data.train.inputs[:, 0], IMAGES.transpose(0, 2, 1))
    np.testing.assert_array_equal(data.test.inputs[:, 0], IMAGES[:2].transpose(0, 2, 1))
    assert data.train.labels.tolist() == [0, 25, 1, 0]
    assert data.test.labels.tolist() == [0, 25]
    assert data.classes == 26


def test_every_split_has_its_number_of_classes():
    assert sorted(emnist.CLASSES) == sorted(get_args(get_type_hints(Emnist)["split"]))


def test_the_archive_is_read_without_unpacking_it(given, monkeypatch):
    pack(monkeypatch, given, packed(files()))
    check()
    assert [path.name for path in (given / "emnist").iterdir()] == [emnist.ARCHIVE]


@pytest.mark.parametrize("pattern", ["{}", "{}.gz", "gzip/{}.gz"])
def test_files_unpacked_by_hand_are_read(given, pattern):
    unpack(given, files(), pattern=pattern)
    check()


def test_only_letters_are_numbered_from_one(given):
    unpack(given, files("balanced"))
    data = Emnist().load()
    assert data.train.labels.tolist() == LABELS.tolist()
    assert data.classes == 47


def test_mean_and_std_are_those_of_the_training_images(given):
    unpack(given, files("balanced"))
    data = Emnist().load()
    assert data.mean == pytest.approx([IMAGES.mean() / 255])
    assert data.std == pytest.approx([IMAGES.std() / 255])


def test_a_missing_file_is_named(given):
    contents = files()
    contents.pop("emnist-letters-test-labels-idx1-ubyte")
    unpack(given, contents)
    with pytest.raises(DataError, match=r"emnist: there is no emnist-letters-test-labels-idx1-ubyte; unpack gzip.zip"):
        Emnist(split="letters").load()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": idx(LABELS - 1)}, "emnist: train labels run from -1 to 24"),
        ({"test_labels": idx(LABELS)}, "emnist: test labels number 4; there are 2 inputs"),
        ({"train_images": idx(LABELS)}, "train-images-idx3-ubyte.*: it starts with 00000801"),
        ({"train_images": idx(IMAGES) + bytes(9)}, "train-images-idx3-ubyte.*: it has more than"),
    ],
)
@pytest.mark.parametrize("is_packed", [True, False])
def test_files_that_do_not_fit_are_refused(given, monkeypatch, changes, message, is_packed):
    contents = files(**changes)
    if is_packed:
        pack(monkeypatch, given, packed(contents))
    else:
        unpack(given, contents)
    with pytest.raises(DataError, match=message):
        Emnist(split="letters").load()


@pytest.mark.parametrize("content", [b"<html></html>", gzip.compress(idx(IMAGES))[:-9]], ids=["html", "cut"])
def test_a_damaged_member_is_refused(given, monkeypatch, content):
    pack(monkeypatch, given, packed(files()) | {"gzip/emnist-letters-train-images-idx3-ubyte.gz": content})
    with pytest.raises(DataError, match=r"gzip.zip: cannot be read"):
        Emnist(split="letters").load()


def test_an_archive_that_was_never_published_is_refused(given):
    write(given / "emnist" / emnist.ARCHIVE, b"<html>log in first</html>")
    with pytest.raises(DataError, match="it is a web page of md5 .*; replace it by the published file"):
        Emnist().load()
