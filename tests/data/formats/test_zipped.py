import stat
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from sparring.data.formats.zipped import opened
from sparring.errors import DataError

CONTENT = bytes(range(256)) * 4


def archive(path: Path, *members: ZipInfo | str, method: int = ZIP_DEFLATED) -> Path:
    """Write an archive whose files are all alike."""
    with ZipFile(path, "w") as zipped:
        for member in members:
            zipped.writestr(member, CONTENT, compress_type=method)
    return path


def read(path: Path, name: str = "in/fine") -> bytes:
    with opened(path, name) as content:
        return content.read()


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
def test_a_member_is_read_by_name(tmp_path, method):
    assert read(archive(tmp_path / "a.zip", "in/", "other", "in/fine", method=method)) == CONTENT


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../out", "in/../../out", "C:/out", "\\\\host\\out", "in\\..\\..\\out"]
)
def test_an_archive_with_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="points outside the archive"):
        read(archive(tmp_path / "a.zip", "in/fine", name))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_what_is_no_plain_file_is_refused(tmp_path, kind):
    odd = ZipInfo("odd")
    odd.external_attr = (kind | 0o644) << 16
    with pytest.raises(DataError, match="'odd' is not a plain file or folder"):
        read(archive(tmp_path / "a.zip", "in/fine", odd))


def test_another_method_of_packing_is_refused(tmp_path):
    with pytest.raises(DataError, match="'in/fine' uses compression method 14"):
        read(archive(tmp_path / "a.zip", "in/fine", method=ZIP_LZMA))


def test_a_member_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="it holds 0 members named 'in/fine'"):
        read(archive(tmp_path / "a.zip", "in/other"))


def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "a.zip", "in/fine", "in/fine")
    with pytest.raises(DataError, match="it holds 2 members named 'in/fine'"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"<html></html>", zlib.compress(CONTENT)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.zip: cannot be read as a zip archive"):
        read(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_cut_short_is_refused(tmp_path, share):
    path = archive(tmp_path / "a.zip", "in/fine")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
def test_a_member_with_flipped_bytes_is_refused(tmp_path, method):
    path = archive(tmp_path / "a.zip", "in/fine", method=method)
    whole = bytearray(path.read_bytes())
    whole[60:70] = b"0123456789"
    path.write_bytes(whole)
    with pytest.raises(DataError, match="cannot be read"):
        read(path)


def test_an_encrypted_member_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", "in/fine")
    whole = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        whole[whole.index(signature) + flags] |= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match="encrypted"):
        read(path)
