"""Read one member of a zip archive, with untrusted contents and without writing to disk."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sparring.data.formats.archive import check_name
from sparring.errors import DataError

KINDS = {0, stat.S_IFREG, stat.S_IFDIR}
"""The permitted file types of a member; 0 if the archive does not state one."""


@contextmanager
def opened(archive: Path, name: str) -> Iterator[IO[bytes]]:
    """Open the member of this name; read errors are reported as errors of the archive."""
    try:
        with ZipFile(archive) as zipped, zipped.open(_member(archive, zipped, name=name)) as content:
            yield content
    except (BadZipFile, OSError, EOFError, RuntimeError, zlib.error) as error:
        raise DataError(f"{archive}: cannot be read as a zip archive ({error}); fetch it again") from None


def _member(archive: Path, zipped: ZipFile, *, name: str) -> ZipInfo:
    for member in zipped.infolist():
        _check(archive, member)
    found = [member for member in zipped.infolist() if member.filename == name]
    if len(found) != 1:
        raise DataError(f"{archive}: it holds {len(found)} members named {name!r}; fetch it again")
    return found[0]


def _check(archive: Path, member: ZipInfo) -> None:
    check_name(archive, member.filename)
    if stat.S_IFMT(member.external_attr >> 16) not in KINDS:
        raise DataError(f"{archive}: its member {member.filename!r} is not a plain file or folder; fetch it again")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise DataError(
            f"{archive}: its member {member.filename!r} uses compression method {member.compress_type}; fetch it again"
        )
