"""The folder of a run: its files, its lock, and the rules for using an existing folder."""

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
"""What to do if the folder already holds a run."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Create the folder if it is missing, and lock it against other processes."""
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
    """Reject a folder that cannot be used for the run."""
    if is_vacant(folder):
        return
    if not manifest.has_manifest(folder):
        raise UnknownFolder(f"{folder} exists and is not a run folder; choose another one")
    if existing == "refuse":
        raise RunError(f"{folder} holds a run; resume it with --resume, or replace it with --overwrite")


def clear(folder: Path) -> None:
    """Remove the files of a run, and nothing else; the manifest is last, so that a kill leaves a valid run folder."""
    for name in reversed(FILES):
        for path in (folder / name, folder / (name + PARTIAL)):
            with translate_os_errors(path):
                path.unlink(missing_ok=True)


def is_vacant(folder: Path) -> bool:
    """Return whether a folder is missing, empty, or holds only the leftovers of a run that never started."""
    leftovers = {LOCK, manifest.NAME + PARTIAL}
    with translate_os_errors(folder):
        return not folder.exists() or leftovers.issuperset(path.name for path in folder.iterdir())


def command_to_resume(folder: Path, plugins: Iterable[str] = ()) -> str:
    """Return the command that resumes a run with these plug-ins."""
    return " ".join(["sparring resume", quote(str(folder)), *(f"--plugin {plugin}" for plugin in plugins)])
