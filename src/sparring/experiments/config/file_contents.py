"""What the files and folders hold that a run names: it is known by that, and not by where they are."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.schema import Config
from sparring.registry import stored

KEPT = 1 << 20
"""Files whose digests are kept, as long as neither their size nor their time changes."""


def file_contents(config: Config, catalogues: Catalogues) -> dict[str, str]:
    """Return the digest of every file and folder that a configuration names and that is there, by how it is written."""
    found = {written: content(path) for written, path in _stored(config, catalogues)}
    return {written: digest for written, digest in found.items() if digest is not None}


def content(path: Path) -> str | None:
    """Return the SHA-256 of a file, or of all names and files in a folder; None where there is nothing to read."""
    try:
        return _of_folder(path) if path.is_dir() else _of_file(path)
    except OSError:
        return None


def known_by(document: Any, files: Mapping[str, str]) -> Any:
    """Return a document in which what each file holds stands in the place of its name."""
    if isinstance(document, Mapping):
        return {key: known_by(value, files) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [known_by(value, files) for value in document]
    return f"sha256:{files[document]}" if isinstance(document, str) and document in files else document


def _stored(config: Config, catalogues: Catalogues) -> Iterator[tuple[str, Path]]:
    named = {"datasets": config.data.member, "partitions": config.data.partition, "models": config.model}
    named |= {"defenses": config.defense, "post-training": config.post_training}
    tables = [(catalogues[kind], section) for kind, section in named.items()]
    tables += [(catalogues["attacks"], attacker.member) for attacker in config.attacks]
    for table, section in tables:
        yield from stored(table, section, families=catalogues.families)


def _of_folder(folder: Path) -> str:
    told = hashlib.sha256()
    for name, path in sorted(_inside(folder, above=(os.path.realpath(folder),))):
        told.update(f"{name}\0{_of_file(path)}\n".encode(errors="surrogateescape"))
    return told.hexdigest()


def _inside(folder: Path, *, above: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the files in a folder by their names in there; hidden ones and links back up are passed over."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            real = os.path.realpath(path)
            inner = () if real in above else _inside(path, above=(*above, real))
            yield from ((f"{path.name}/{name}", each) for name, each in inner)
        elif path.is_file():
            yield path.name, path


def _of_file(path: Path) -> str:
    about = path.stat()
    return _read(path, about.st_size, changed=about.st_mtime_ns)


@lru_cache(KEPT)
def _read(path: Path, size: int, *, changed: int) -> str:
    """Return the SHA-256 of a file of this size and time, so that no file is read twice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
