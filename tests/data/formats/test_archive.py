import gzip
import io
import tarfile
from pathlib import Path

import pytest

from sparring.data.formats.archive import members
from sparring.errors import DataError

LIMIT = 1 << 20


def member(name: str, **facts: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info


def archive(path: Path, *infos: tarfile.TarInfo) -> Path:
    """Write an archive whose files are all zeros."""
    with tarfile.open(path, "w:gz") as tar:
        for info in infos:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def test_files_are_read_in_order_and_folders_passed_over(tmp_path):
    infos = [member("all", type=tarfile.DIRTYPE), member("all/one", size=3), member("all/two", size=600)]
    found = list(members(archive(tmp_path / "a.tar.gz", *infos), limit=LIMIT))
    assert found == [("all/one", bytes(3)), ("all/two", bytes(600))]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../out", "in/../../out", "C:/out", "\\\\host\\out", "in\\..\\..\\out"]
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="points outside the archive"):
        list(members(archive(tmp_path / "a.tar.gz", member(name, size=1)), limit=LIMIT))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_what_is_no_plain_file_is_refused(tmp_path, kind):
    path = archive(tmp_path / "a.tar.gz", member("fine", size=1), member("odd", type=kind, linkname="fine"))
    with pytest.raises(DataError, match="'odd' is not a plain file or folder"):
        list(members(path, limit=LIMIT))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    path = archive(tmp_path / "a.tar.gz", member("zeros", size=5 * LIMIT))
    assert path.stat().st_size < LIMIT
    with pytest.raises(DataError, match=f"unpacks to more than {LIMIT} bytes"):
        list(members(path, limit=LIMIT))


@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", gzip.compress(b"no tar archive" * 100)], ids=["empty", "html", "no tar"]
)
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.tar.gz: cannot be read as a gzipped tar archive"):
        list(members(path, limit=LIMIT))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_cut_short_is_refused(tmp_path, share):
    noise = io.BytesIO(bytes(range(256)) * 100)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(member("noise", size=25_600), noise)
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="cannot be read"):
        list(members(tmp_path / "a.tar.gz", limit=LIMIT))


def test_a_tar_file_cut_short_inside_whole_gzip_is_refused(tmp_path):
    path = archive(tmp_path / "a.tar.gz", member("long", size=2000))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:1000]))
    with pytest.raises(DataError, match="cannot be read"):
        list(members(path, limit=LIMIT))
