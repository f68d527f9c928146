from dataclasses import replace
from pathlib import Path

import pytest

from sparring.data import Cifar100
from sparring.data.datasets import cifar100
from sparring.errors import DataError
from tests.data.formats.writing import cifar, md5, tar, write

CONTENTS = {cifar100.TEST: cifar([99], coarse=0), cifar100.TRAIN: cifar([3, 70], coarse=19)}
ARCHIVE = {"cifar-100-binary/fine_label_names.txt": b"apple", **CONTENTS}


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    """Let the parts hold two examples and one."""
    monkeypatch.setattr(cifar100, "EXAMPLES", {cifar100.TRAIN: 2, cifar100.TEST: 1})


def publish(monkeypatch, folder: Path, contents: dict[str, bytes]) -> None:
    """Write these files, or else the archive, and make them the published ones."""
    place = folder / "cifar-100"
    paths = {name: write(place / name, content) for name, content in contents.items()}
    packed = paths or {cifar100.ARCHIVE: tar(place / cifar100.ARCHIVE, ARCHIVE)}
    sums = {name: md5(path) for name, path in packed.items()}
    monkeypatch.setattr(cifar100, "CIFAR100", replace(cifar100.CIFAR100, checksums=sums))


@pytest.mark.parametrize("contents", [CONTENTS, {}], ids=["unpacked", "packed"])
@pytest.mark.parametrize(
    ("labels", "classes", "train", "test"), [("fine", 100, [3, 70], [99]), ("coarse", 20, [19, 19], [0])]
)
def test_either_label_of_a_record_is_read(given, monkeypatch, contents, labels, classes, train, test):
    publish(monkeypatch, given, contents)
    data = Cifar100(labels=labels).load()
    assert data.shape == (3, 32, 32)
    assert data.classes == classes
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == (train, test)
    assert data.train.inputs.flatten(1).unique(dim=1).tolist() == [[4], [71]]


def test_mean_and_std_are_those_of_the_training_images(given, monkeypatch):
    publish(monkeypatch, given, CONTENTS)
    data = Cifar100().load()
    assert data.mean == pytest.approx([37.5 / 255] * 3)
    assert data.std == pytest.approx([33.5 / 255] * 3)


def test_a_malformed_part_is_named(given, monkeypatch):
    publish(monkeypatch, given, {**CONTENTS, cifar100.TEST: cifar([100], coarse=0)})
    with pytest.raises(DataError, match=r"cifar-100-binary/test.bin: record 0 has label 100; it must be 0 to 99"):
        Cifar100().load()


def test_files_of_the_same_name_that_were_never_published_are_refused(given):
    write(given / "cifar-100" / cifar100.TEST, CONTENTS[cifar100.TEST])
    with pytest.raises(DataError, match="replace it by the published file"):
        Cifar100().load()
