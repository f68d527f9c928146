import gzip
import struct

import numpy as np
import pytest

from sparring.data.formats import idx as idx_format
from sparring.data.formats.idx import read_idx
from sparring.errors import DataError
from tests.data.formats.writing import idx, write

VALUES = np.arange(24).reshape(2, 3, 4)
WHOLE = idx(VALUES)
HEADER = 16


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_values_are_read_packed_and_plain(tmp_path, name):
    values = read_idx(write(tmp_path / name, WHOLE), rank=3)
    assert values.dtype == np.uint8
    assert values.flags.writeable
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("name", ["images", "images.gz"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it starts with ; an IDX file of rank 3 has 00000803"),
        (b"<html></html>", "it starts with 3c68746d; an IDX file of rank 3 has 00000803"),
        (idx(VALUES[0]), "it starts with 00000802"),
        (struct.pack(">HBB3I", 0, 13, 3, 2, 3, 4), "it starts with 00000d03"),
        (WHOLE[: HEADER - 1], "it ends within its header of 16 bytes"),
        (WHOLE[:-1], "it ends after 23 of the 24 bytes that its header declares"),
        (WHOLE + b"\0", "it has more than the 24 bytes that its header declares"),
        (idx(VALUES[:0]), "its header declares (0, 3, 4) values"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "its header declares"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as refusal:
        read_idx(path, rank=3)
    assert str(refusal.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    "content",
    [b"<html></html>", gzip.compress(WHOLE)[:-9], gzip.compress(WHOLE)[:20] + bytes(20)],
    ids=["html", "cut", "zeroed"],
)
def test_a_damaged_gzip_file_is_refused(tmp_path, content):
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(path, rank=3)


def test_no_more_is_unpacked_than_the_header_promises(tmp_path, monkeypatch):
    path = write(tmp_path / "bomb.gz", WHOLE + bytes(10**7))
    asked = []

    class Watched(gzip.GzipFile):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    monkeypatch.setattr(idx_format.gzip, "open", Watched)
    with pytest.raises(DataError, match="it has more than"):
        read_idx(path, rank=3)
    assert all(0 <= size <= VALUES.size for size in asked)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        read_idx(tmp_path / "nowhere", rank=1)
