from dataclasses import replace
from pathlib import Path

import pytest

from sparring.data import Cifar10
from sparring.data.datasets import cifar10
from sparring.errors import DataError
from tests.data.formats.writing import cifar, md5, tar, write

CONTENTS = {part: cifar([row, row + 1]) for row, part in enumerate(cifar10.PARTS)}


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    """Let a part hold two examples."""
    monkeypatch.setattr(cifar10, "EXAMPLES", 2)


def publish(monkeypatch, folder: Path, *names: str) -> None:
    """Make these files the published ones."""
    sums = {name: md5(folder / "cifar-10" / name) for name in names}
    monkeypatch.setattr(cifar10, "CIFAR10", replace(cifar10.CIFAR10, checksums=cifar10.CIFAR10.checksums | sums))


def unpack(folder: Path, contents: dict[str, bytes]) -> None:
    for part, content in contents.items():
        write(folder / "cifar-10" / part, content)


def pack(folder: Path, contents: dict[str, bytes]) -> None:
    tar(folder / "cifar-10" / cifar10.ARCHIVE, {"cifar-10-batches-bin/readme.html": b"<html>", **contents})


@pytest.mark.parametrize(("put", "names"), [(unpack, cifar10.PARTS), (pack, [cifar10.ARCHIVE])])
def test_parts_are_read_in_order_from_files_and_from_the_archive(given, monkeypatch, put, names):
    put(given, dict(reversed(CONTENTS.items())))
    publish(monkeypatch, given, *names)
    data = Cifar10().load()
    assert data.shape == (3, 32, 32)
    assert data.train.labels.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert data.test.labels.tolist() == [5, 6]
    assert (data.train.inputs[:, 2, 31, 31] == data.train.labels + 1).all()


@pytest.mark.parametrize(("put", "names"), [(unpack, cifar10.PARTS[:5]), (pack, [cifar10.ARCHIVE])])
def test_a_missing_part_is_named(given, monkeypatch, put, names):
    put(given, {part: CONTENTS[part] for part in cifar10.PARTS[:5]})
    publish(monkeypatch, given, *names)
    with pytest.raises(DataError, match=r"cifar-10: there is no cifar-10-batches-bin/test_batch.bin; unpack"):
        Cifar10().load()


@pytest.mark.parametrize(("put", "names"), [(unpack, cifar10.PARTS), (pack, [cifar10.ARCHIVE])])
@pytest.mark.parametrize(
    ("content", "message"), [(cifar([10, 0]), "record 0 has label 10"), (cifar([1]), "it has 3073 bytes")]
)
def test_a_malformed_part_is_named(given, monkeypatch, put, names, content, message):
    put(given, {**CONTENTS, cifar10.PARTS[2]: content})
    publish(monkeypatch, given, *names)
    with pytest.raises(DataError, match=f"data_batch_3.bin: {message}"):
        Cifar10().load()


@pytest.mark.parametrize("put", [unpack, pack])
def test_files_of_the_same_name_that_were_never_published_are_refused(given, put):
    put(given, CONTENTS)
    with pytest.raises(DataError, match="replace it by the published file"):
        Cifar10().load()
