"""Checkpoints of a run: the state after a round and the extent of its records; a run resumes from the latest one."""

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save

from sparring.errors import RunError
from sparring.experiments.jobs.atomic_files import read_json, translate_os_errors, write, write_json
from sparring.experiments.jobs.save_pace import CheckpointInterval, SavePace
from sparring.experiments.runs.journal import Journal, Mark, holds
from sparring.snapshot import Codec, Snapshot

TENSORS = ("checkpoint.safetensors", "checkpoint.previous.safetensors")
NOTES = ("checkpoint.json", "checkpoint.previous.json")


@dataclass(frozen=True, kw_only=True)
class Note:
    """The run, the round and the records that the tensors of a checkpoint belong to."""

    run: str
    """The digest of the run's configuration."""
    round: int
    tensors: str
    """The SHA-256 of the file of tensors."""
    records: Mark
    """The extent of the run's records."""


class Checkpoint(NamedTuple):
    """A state to resume from, the records up to it, and whether a newer checkpoint is damaged."""

    state: Any
    records: Mark
    is_fallback: bool


def save_checkpoint(folder: Path, packed: Snapshot, *, run: str, records: Mark) -> None:
    """Save a packed state; the previous checkpoint is kept, and the one before it is replaced."""
    for newest, previous in (TENSORS, NOTES):
        with translate_os_errors(folder / newest):
            if (folder / newest).exists():
                (folder / newest).replace(folder / previous)
    content = save(packed.tensors)
    write(folder / TENSORS[0], content)
    note = Note(run=run, round=packed.numbers["round"], tensors=_sha256(content), records=records)
    write_json(folder / NOTES[0], _sign(asdict(note)))


def latest_checkpoint(folder: Path, codec: Codec[Any], *, run: str, records: Path) -> Checkpoint | None:
    """Return the latest checkpoint of which no part is damaged or missing."""
    notes = {name: note for name in NOTES if (note := _read_note(folder / name)) is not None and note.run == run}
    for (name, note), tensors in product(notes.items(), TENSORS):
        content = _read_tensors(folder / tensors)
        if content is not None and _sha256(content) == note.tensors and holds(records, note.records):
            is_fallback = name != NOTES[0] and (folder / NOTES[0]).exists()
            state = codec.unpack(Snapshot(load(content), {"round": note.round}))
            return Checkpoint(state, note.records, is_fallback)
    return None


def drop_newest(folder: Path) -> None:
    """Remove a damaged checkpoint, so that it does not replace the previous one."""
    for newest in (TENSORS[0], NOTES[0]):
        with translate_os_errors(folder / newest):
            (folder / newest).unlink(missing_ok=True)


def _read_tensors(path: Path) -> bytes | None:
    """Return the bytes of a file of tensors, damaged or not; None if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    # The first eight bytes of safetensors are a length, and a brace follows; torch's pickles are zip archives.
    if content.startswith((b"\x80", b"PK\x03\x04")) and content[8:9] != b"{":
        raise RunError(
            f"{path} is a pickle, which is never read; remove it, and the run resumes from the previous checkpoint"
        )
    return content


def _read_note(path: Path) -> Note | None:
    """Return a note; None if it is missing or damaged."""
    written = read_json(path)
    if not isinstance(written, dict):
        return None
    content = {key: value for key, value in written.items() if key != "sha256"}
    if written != _sign(content) or content.keys() != Note.__annotations__.keys():
        return None
    return Note(**content | {"records": Mark(*content["records"])})


def _sign(content: dict[str, Any]) -> dict[str, Any]:
    canonical = json.dumps(content, sort_keys=True).encode()
    return content | {"sha256": _sha256(canonical)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Checkpointer:
    """Saves the states of one run, on request or when its interval is over."""

    def __init__(self, folder: Path, journal: Journal, *, run: str, cadence: CheckpointInterval) -> None:
        self.folder, self.journal, self.run = folder, journal, run
        self.pace = SavePace(cadence)

    def is_due(self) -> bool:
        return self.pace.is_due()

    def save(self, packed: Snapshot) -> None:
        """Write a checkpoint; the records up to it reach the disk first."""
        save_checkpoint(self.folder, packed, run=self.run, records=self.journal.mark())
        self.pace.saved()
