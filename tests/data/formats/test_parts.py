from dataclasses import replace
from pathlib import Path

import pytest

from sparring.data.formats.parts import parts
from sparring.data.formats.publication import Publication
from sparring.errors import DataError
from tests.data.formats.writing import md5, tar, write

ONE, TWO = {"in/one": b"1"}, {"in/two": b"22"}
PUBLICATION = Publication(folder="set", mirror="http://127.0.0.1:9/", checksums={})


def read(folder: Path, publication: Publication = PUBLICATION) -> dict[str, bytes]:
    return dict(parts(publication, "all.tar.gz", names=("in/one", "in/two"), limit=1 << 20))


def test_other_members_of_the_archive_are_passed_over(given):
    tar(given / "set" / "all.tar.gz", {"in/readme": b"", **TWO, **ONE})
    assert read(given) == ONE | TWO


def test_files_unpacked_by_hand_come_before_the_archive(given):
    tar(given / "set" / "all.tar.gz", {"in/one": b"old", "in/two": b"old"})
    for name, content in (ONE | TWO).items():
        write(given / "set" / name, content)
    assert read(given) == ONE | TWO


def test_every_missing_part_is_named(given):
    tar(given / "set" / "all.tar.gz", {"in/readme": b""})
    with pytest.raises(
        DataError, match=r"set: there is no in/one, in/two; unpack all.tar.gz again, or put it there packed"
    ):
        read(given)


def test_an_archive_that_was_never_published_is_not_opened(given):
    path = write(given / "set" / "all.tar.gz", b"")
    sums = {"all.tar.gz": md5(tar(given / "other.tar.gz", ONE | TWO))}
    with pytest.raises(DataError, match=f"{path}: it is 20 bytes of md5"):
        read(given, replace(PUBLICATION, checksums=sums))
