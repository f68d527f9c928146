"""Write small files in the published formats."""

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def idx(values: np.ndarray) -> bytes:
    """Return an IDX file of bytes."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def cifar(labels: list[int], *, coarse: int | None = None) -> bytes:
    """Return CIFAR records whose pixels are all one more than their label, which a `coarse` one may precede."""
    first = b"" if coarse is None else bytes([coarse])
    return b"".join(first + bytes([label]) + bytes([label + 1]) * 3072 for label in labels)


def tar(path: Path, contents: Mapping[str, bytes]) -> Path:
    """Write a gzipped tar archive into a folder that need not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write(path: Path, content: bytes) -> Path:
    """Write a file, gzipped if its name says so, into a folder that need not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()
