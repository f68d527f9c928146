"""Pictures kept between builds, for as long as the code and the libraries that draw them stay the same."""

import platform
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from tools.site.repository import ROOT

FOLDER = ROOT / ".cache" / "site"
SOURCES = (
    "src/sparring/**/*.py",
    *(f"tools/site/{name}.py" for name in ("examples", "hook", "pictures", "plane", "stamps")),
)
LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "numba", "matplotlib")
"""What pictures depend on beside our own code; the images are scikit-learn's digits."""


def draw_once(name: str, draw: Callable[[], Mapping[str, bytes]], folder: Path = FOLDER) -> dict[str, bytes]:
    """Return the pictures that `draw` makes; those of `name` that an earlier build kept are read instead."""
    place = folder / digest_inputs() / name
    if not place.is_dir():
        _forget_others(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, draw())
    return {file.stem: file.read_bytes() for file in sorted(place.iterdir())}


@cache
def digest_inputs() -> str:
    """Return a digest of all that the pictures are made from."""
    digest = sha256(platform.python_version().encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    for file in sorted(file for source in SOURCES for file in ROOT.glob(source)):
        digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _forget_others(folder: Path) -> None:
    """Remove what was drawn from other inputs."""
    for other in folder.glob("*"):
        if other.name != digest_inputs():
            rmtree(other, ignore_errors=True)


def _write(place: Path, pictures: Mapping[str, bytes]) -> None:
    """Write all pictures or, if interrupted, none."""
    with TemporaryDirectory(dir=place.parent) as folder:
        made = Path(folder) / place.name
        made.mkdir()
        for name, picture in pictures.items():
            (made / f"{name}.png").write_bytes(picture)
        if not place.exists():
            made.rename(place)
