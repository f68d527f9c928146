"""The files of a published data set: found in SPARRING_DATA or the user's cache, else downloaded; with checksums."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from platformdirs import user_cache_path

from sparring.data.formats.download import CACHE, download
from sparring.errors import DataError

VARIABLE = "SPARRING_DATA"
"""The environment variable that names a folder of data sets."""


@dataclass(frozen=True)
class Publication:
    """The published files of one data set."""

    folder: str
    """The folder of its files, below SPARRING_DATA and below the cache."""
    mirror: str
    """The base URL; file names are appended to it."""
    checksums: Mapping[str, str]
    """The md5 of each file, packed and unpacked; a file without an entry is not checked."""

    def find(self, *names: str) -> Path | None:
        """Return the first of these files that exists, after verifying its checksum if it has one."""
        # The cache comes last: a user without a home directory has none, and may not need one.
        return self._first(_given(), names) or self._first(_cache(), names)

    def _first(self, root: Path | None, names: Sequence[str]) -> Path | None:
        if root is None:
            return None
        for name in names:
            path = root / self.folder / name
            if _is_there(path):
                if name in self.checksums:
                    check(path, self.checksums[name])
                return path
        return None

    def fetch(self, name: str) -> Path:
        """Download this file into the cache."""
        by_hand = f"put it by hand at {_given() or f'${VARIABLE}'}/{self.folder}/{name}"
        md5 = self.checksums[name]
        cache = _cache()
        if cache is None:
            lack = f"there is no cache for {name}, as neither HOME nor {CACHE} names a folder"
            raise DataError(f"{self.folder}: {lack}; set one of them, or {by_hand} (md5 {md5})")
        target = cache / self.folder / name
        download(self.mirror + name, target, md5=md5, remedy=by_hand)
        return target


def check(path: Path, md5: str) -> None:
    """Reject a file that differs from the published one."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
            file.seek(0)
            is_page = file.read(64).lstrip().startswith(b"<")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    if found != md5:
        nature = "a web page" if is_page else f"{path.stat().st_size} bytes"
        raise DataError(f"{path}: it is {nature} of md5 {found}; replace it by the published file, of md5 {md5}")


def _is_there(path: Path) -> bool:
    try:
        return S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        remedy = f"make its folder readable, or set {VARIABLE} or {CACHE} to another"
        raise DataError(f"{path}: cannot be accessed ({error.strerror}); {remedy}") from None


def _given() -> Path | None:
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(os.path.expanduser(named))
    if not os.path.isdir(folder):
        raise DataError(f"{VARIABLE} is {named!r}, which is not a folder; set it to one with data sets, or unset it")
    return folder


def _cache() -> Path | None:
    """Return the user's cache folder; None if the user has no home directory."""
    try:
        folder = user_cache_path("sparring")
    except (RuntimeError, KeyError):
        return None
    return folder if folder.is_absolute() else None
