"""The parts of a data set that is published as one gzipped tar archive."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sparring.data.formats.archive import members
from sparring.data.formats.publication import Publication
from sparring.errors import DataError


def parts(publication: Publication, archive: str, *, names: Sequence[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the contents of each part, from separate files if the archive was unpacked by hand.

    The archive must unpack to at most `limit` bytes.
    """
    paths = {name: publication.find(name) for name in names}
    missing = dict.fromkeys(names)
    if any(paths.values()):
        contents = _read_unpacked(paths)
    else:
        contents = members(publication.find(archive) or publication.fetch(archive), limit=limit)
    for name, content in contents:
        if name in paths:
            missing.pop(name, None)
            yield name, content
    if missing:
        absent = ", ".join(missing)
        raise DataError(f"{publication.folder}: there is no {absent}; unpack {archive} again, or put it there packed")


def _read_unpacked(paths: Mapping[str, Path | None]) -> Iterator[tuple[str, bytes]]:
    for name, path in paths.items():
        if path is not None:
            yield name, path.read_bytes()
