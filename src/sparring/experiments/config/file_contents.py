"""Digests of the files and folders that a run names: a run is identified by their contents, not by their paths."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.central_schema import AnyConfig
from sparring.registry import stored

KEPT = 1 << 20
"""The number of files whose digests are cached until their size or modification time changes."""


def file_contents(config: AnyConfig, catalogues: Catalogues) -> dict[str, str]:
    """Return the digest of every existing file and folder that a configuration names, by its name there."""
    found = {written: file_digest(path) for written, path in _stored_files(config, catalogues)}
    return {written: digest for written, digest in found.items() if digest is not None}


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, or of all names and files in a folder; None if it cannot be read."""
    try:
        return _digest_folder(path) if path.is_dir() else _digest_file(path)
    except OSError:
        return None


def replace_file_names(document: Any, files: Mapping[str, str]) -> Any:
    """Return a document in which the digest of each file replaces its name."""
    if isinstance(document, Mapping):
        return {key: replace_file_names(value, files) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [replace_file_names(value, files) for value in document]
    return f"sha256:{files[document]}" if isinstance(document, str) and document in files else document


def _stored_files(config: AnyConfig, catalogues: Catalogues) -> Iterator[tuple[str, Path]]:
    for kind, section in config.members():
        yield from stored(catalogues[kind], section, families=catalogues.families)


def _digest_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(_files_inside(folder, above=(os.path.realpath(folder),))):
        digest.update(f"{name}\0{_digest_file(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files_inside(folder: Path, *, above: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the relative names and paths of the files in a folder, without hidden files and without cyclic links."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            real = os.path.realpath(path)
            inner = () if real in above else _files_inside(path, above=(*above, real))
            yield from ((f"{path.name}/{name}", each) for name, each in inner)
        elif path.is_file():
            yield path.name, path


def _digest_file(path: Path) -> str:
    about = path.stat()
    return _read(path, about.st_size, changed=about.st_mtime_ns)


@lru_cache(KEPT)
def _read(path: Path, size: int, *, changed: int) -> str:
    """Return the SHA-256 of a file; its size and modification time are keys of the cache."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
