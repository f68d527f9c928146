"""What TensorBoard itself reads."""

from pathlib import Path

import pytest


def shown(folder: Path) -> dict[str, dict[int, float]]:
    """Return the value of each round by the tags of a run."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    accumulator = reading.EventAccumulator(str(folder)).Reload()
    return {
        tag: {event.step: event.value for event in accumulator.Scalars(tag)} for tag in accumulator.Tags()["scalars"]
    }
