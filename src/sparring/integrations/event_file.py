"""The records of a run as TensorBoard reads them."""

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
    """Writes what records say, in the place of what the folder's file held before.

    The clock of the file counts rounds, so that equal runs have equal files. To write a run again from its start, when
    it is resumed, is then to write the same bytes: a TensorBoard that has the file open notices nothing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a round is there to be seen when it has been played.
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
    """Yield what there is to plot of a round: its metrics, what happened to how many clients, and the norms."""
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


def _present(values: dict[str, float | None]) -> Iterator[tuple[str, float]]:
    return ((tag, value) for tag, value in values.items() if value is not None)
