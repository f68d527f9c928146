"""Read a gzipped tar archive member by member, with untrusted contents and without writing to disk."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from sparring.errors import DataError


def members(archive: Path, *, limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the contents of each file of an archive that unpacks to at most `limit` bytes."""
    try:
        yield from _plain_files(archive, io.BytesIO(_unpack(archive, limit)))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{archive}: cannot be read as a gzipped tar archive ({error}); fetch it again") from None


def _unpack(archive: Path, limit: int) -> bytes:
    with gzip.open(archive) as packed:
        content = packed.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"{archive}: it unpacks to more than {limit} bytes, unlike the published one; fetch it again")
    return content


def _plain_files(archive: Path, unpacked: io.BytesIO) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=unpacked, mode="r:") as tar:
        for member in tar:
            _check(archive, member)
            file = tar.extractfile(member)
            if file is not None:
                yield member.name, file.read()


def check_name(archive: Path, name: str) -> None:
    """Reject a member name that points outside the archive."""
    path = PureWindowsPath(name)  # splits at both kinds of slash and recognizes drives
    if path.anchor or ".." in path.parts:
        raise DataError(f"{archive}: its member {name!r} points outside the archive; fetch it again")


def _check(archive: Path, member: tarfile.TarInfo) -> None:
    check_name(archive, member.name)
    if member.issparse() or not (member.isfile() or member.isdir()):
        raise DataError(f"{archive}: its member {member.name!r} is not a plain file or folder; fetch it again")
