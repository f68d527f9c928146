"""Export of a run's records to TensorBoard."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from sparring.federation import RoundRecord

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

    def write(self, record: RoundRecord) -> None:
        """Add a round."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars(record)]
        self._write(Event(wall_time=record.round, step=record.round, summary=Summary(value=values)))

    def close(self) -> None:
        self._writer.close()

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())


def scalars(record: RoundRecord) -> Iterator[tuple[str, float]]:
    """Yield the scalars of a round: its metrics, counts of clients per event, and norms."""
    yield from _present({"accuracy": record.accuracy, "loss": record.loss, "norms/step": record.step_norm})
    for label, share in enumerate(record.class_accuracy or ()):
        yield from _present({f"class_accuracy/{label}": share})
    if record.sampled:
        for event in ("malicious", "dropped", "clipped", "selected"):
            clients = getattr(record, event)
            yield from _present({f"clients/{event}": None if clients is None else len(clients)})
    norms = [norm for norm in record.norms if norm is not None]
    if norms:
        yield from {"norms/smallest": min(norms), "norms/median": median(norms), "norms/largest": max(norms)}.items()
    for player, options in (record.planned or {}).items():
        yield from ((f"planned/{player}/{name}", value) for name, value in (options or {}).items() if _is_number(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _present(values: dict[str, float | None]) -> Iterator[tuple[str, float]]:
    return ((tag, value) for tag, value in values.items() if value is not None)
