"""The folder of a run: who may use it, and when its files make way."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Literal

from filelock import FileLock, Timeout

from sparring.errors import RunError, UnknownFolder
from sparring.experiments.jobs.atomic_files import PARTIAL, translate_os_errors
from sparring.experiments.runs import checkpoint, manifest, saved_model

RECORDS = "rounds.jsonl"
RESULT = "result.json"
TIMING = "timing.json"
LOCK = ".lock"

FILES = (manifest.NAME, RECORDS, *checkpoint.TENSORS, *checkpoint.NOTES, saved_model.NAME, TIMING, RESULT)

Existing = Literal["refuse", "resume", "overwrite"]
"""What to do about a folder that holds a run already."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if it is missing, and keep every other process out of it."""
    with translate_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise RunError(f"{folder} is in use by another process; wait for it, or choose another folder") from None
    try:
        yield
    finally:
        lock.release()


def admit(folder: Path, existing: Existing) -> None:
    """Refuse a folder that cannot take the run."""
    if is_vacant(folder):
        return
    if not manifest.has_manifest(folder):
        raise UnknownFolder(f"{folder} is there and is no run folder; choose another one")
    if existing == "refuse":
        raise RunError(f"{folder} holds a run; go on with --resume, or play it again with --overwrite")


def clear(folder: Path) -> None:
    """Remove the files of a run, and nothing else; the manifest goes last, so that a kill leaves a run folder."""
    for name in reversed(FILES):
        for path in (folder / name, folder / (name + PARTIAL)):
            with translate_os_errors(path):
                path.unlink(missing_ok=True)


def is_vacant(folder: Path) -> bool:
    """Say whether a folder is missing, or holds nothing but what a run that never began may have left there."""
    leftovers = {LOCK, manifest.NAME + PARTIAL}
    with translate_os_errors(folder):
        return not folder.exists() or leftovers.issuperset(path.name for path in folder.iterdir())


def command_to_resume(folder: Path, plugins: Iterable[str] = ()) -> str:
    """Return what to type to go on with a run that was played with these plug-ins."""
    return " ".join(["sparring resume", quote(str(folder)), *(f"--plugin {plugin}" for plugin in plugins)])
