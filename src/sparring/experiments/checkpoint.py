"""The state of a run between two rounds, on disk: its tensors, and a note that knows them by their digest.

The checkpoint before is kept. A note says which tensors it goes with and which records came before it, so that neither
a kill between two renames nor a damaged file leads to a state that never was.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save

from sparring.errors import RunError
from sparring.experiments.jobs.atomic_files import read_json, translate_os_errors, write, write_json
from sparring.experiments.journal import Mark, holds
from sparring.federation import FederationState
from sparring.federation.state import pack, unpack
from sparring.snapshot import Snapshot

TENSORS = ("checkpoint.safetensors", "checkpoint.previous.safetensors")
NOTES = ("checkpoint.json", "checkpoint.previous.json")


@dataclass(frozen=True, kw_only=True)
class Note:
    """What the tensors of a checkpoint belong to."""

    run: str
    """The digest of the run's configuration."""
    round: int
    tensors: str
    """The SHA-256 of the file of tensors."""
    records: Mark
    """How far the run's records went."""


class Checkpoint(NamedTuple):
    """A state to go on from, the records up to there, and whether a newer one is damaged."""

    state: FederationState
    records: Mark
    is_fallback: bool


def save_checkpoint(folder: Path, state: FederationState, *, run: str, records: Mark) -> None:
    """Save a state; the one before is kept, the one before that makes room."""
    for newest, previous in (TENSORS, NOTES):
        with translate_os_errors(folder / newest):
            if (folder / newest).exists():
                (folder / newest).replace(folder / previous)
    content = save(pack(state).tensors)
    write(folder / TENSORS[0], content)
    note = Note(run=run, round=state.round, tensors=_sha256(content), records=records)
    write_json(folder / NOTES[0], _signed(asdict(note)))


def latest_checkpoint(folder: Path, *, run: str, records: Path) -> Checkpoint | None:
    """Return the newest checkpoint of which nothing is damaged or missing."""
    notes = {name: note for name in NOTES if (note := _note(folder / name)) is not None and note.run == run}
    for (name, note), tensors in product(notes.items(), TENSORS):
        content = _content(folder / tensors)
        if content is not None and _sha256(content) == note.tensors and holds(records, note.records):
            is_fallback = name != NOTES[0] and (folder / NOTES[0]).exists()
            state = unpack(Snapshot(load(content), {"round": note.round}))
            return Checkpoint(state, note.records, is_fallback)
    return None


def drop_newest(folder: Path) -> None:
    """Remove a damaged checkpoint, so that it does not take the place of the one before."""
    for newest in (TENSORS[0], NOTES[0]):
        with translate_os_errors(folder / newest):
            (folder / newest).unlink(missing_ok=True)


def _content(path: Path) -> bytes | None:
    """Return what a file of tensors holds, damaged or not."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    # The first eight bytes of safetensors are a length, and a brace follows; torch's pickles are zip archives.
    if content.startswith((b"\x80", b"PK\x03\x04")) and content[8:9] != b"{":
        raise RunError(f"{path} is a pickle, which is never read; remove it, and the run goes on from before")
    return content


def _note(path: Path) -> Note | None:
    """Return a note, but none that is missing or damaged."""
    written = read_json(path)
    if not isinstance(written, dict):
        return None
    content = {key: value for key, value in written.items() if key != "sha256"}
    if written != _signed(content) or content.keys() != Note.__annotations__.keys():
        return None
    return Note(**content | {"records": Mark(*content["records"])})


def _signed(content: dict[str, Any]) -> dict[str, Any]:
    canonical = json.dumps(content, sort_keys=True).encode()
    return content | {"sha256": _sha256(canonical)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
