"""Export of a run's records to TensorBoard."""

from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from sparring.records import Record

NAME = "events.out.tfevents.sparring"
"""TensorBoard reads files whose names contain `tfevents`. Its own writer would add the time and the host's name."""
VERSION = "brain.Event:2"


class EventFile:
    """Writes records to an event file, replacing an existing file in the folder.

    The file's clock counts rounds, so that equal runs have equal files. Rewriting a resumed run from its start then
    writes the same bytes, and a TensorBoard that has the file open is not disturbed.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered, so that a round is visible as soon as it is complete.
        self._writer = RecordWriter((folder / NAME).open("wb", buffering=0))
        self._write(Event(wall_time=0.0, file_version=VERSION))

    def write(self, record: Record) -> None:
        """Add a round."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars(record)]
        self._write(Event(wall_time=record.round, step=record.round, summary=Summary(value=values)))

    def close(self) -> None:
        self._writer.close()

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())


def scalars(record: Record) -> Iterator[tuple[str, float]]:
    """Yield the scalars of a round: its metrics, and what else its kind of training records."""
    yield from (
        (tag, value) for tag, value in (("accuracy", record.accuracy), ("loss", record.loss)) if value is not None
    )
    for label, share in enumerate(record.class_accuracy or ()):
        if share is not None:
            yield f"class_accuracy/{label}", share
    yield from record.details.items()
