"""A sweep as its report sees it: what was asked for, what it came to, and what is missing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from sparring.arrays import briefly
from sparring.experiments.plots import Curve
from sparring.experiments.runs.manifest import Manifest
from sparring.experiments.statistics import SMALLEST_GAP, interval_named
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED
from sparring.experiments.sweeps.sweep_folder import DIGITS, Failure, RecordedCell
from sparring.experiments.sweeps.tuning import Choice
from sparring.experiments.tables import Labels


@dataclass(frozen=True, eq=False)
class Study:
    """A sweep, or a single run, which is one without axes; runs go by the names of their folders."""

    name: str
    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[RecordedCell, ...]
    frame: pd.DataFrame
    """A row for each cell whose run is complete."""
    manifests: Mapping[str, Manifest]
    """What each complete run was."""
    curves: Mapping[str, Curve]
    """The accuracy of each complete run after the rounds that it was measured after."""
    failures: tuple[Failure, ...] = ()
    document: Mapping[str, Any] | None = None
    """The sweep file."""
    preset: Mapping[str, str] | None = None
    choices: tuple[Choice, ...] = ()
    """What was chosen on validation examples."""
    gap: float = SMALLEST_GAP
    """The smallest difference that counts, for whoever reads it."""

    __repr__ = briefly

    @property
    def is_grid(self) -> bool:
        """Say whether attacks are set against defenses."""
        return ATTACK in self.axes and DEFENSE in self.axes

    @property
    def complete(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs are complete."""
        return tuple(cell for cell in self.cells if run_of(cell) in self.manifests)

    @property
    def interval(self) -> str:
        """The name of the intervals of its cells and of their differences."""
        axes = [axis for axis in self.axes if axis != SEED]
        return interval_named(Counter(tuple(cell.labels[axis] for axis in axes) for cell in self.complete).values())

    @property
    def failed(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs raised an error."""
        lost = {failure.digest for failure in self.failures}
        return tuple(cell for cell in self.cells if cell.digest in lost)

    @property
    def missing(self) -> tuple[RecordedCell, ...]:
        """The cells whose runs are neither complete nor failed."""
        settled = {cell.digest for cell in (*self.complete, *self.failed)}
        return tuple(cell for cell in self.cells if cell.digest not in settled)

    def where(self, labels: Labels) -> "Study":
        """Return the part of the study that has these labels."""
        frame = self.frame
        for axis, label in labels.items():
            frame = frame[frame[axis] == label]
        cells = tuple(cell for cell in self.cells if labels.items() <= cell.labels.items())
        return replace(self, cells=cells, frame=frame)

    def combinations(self, *apart: str) -> tuple[Labels, ...]:
        """Return which labels were asked for together, in the order of the axes, but for seeds and axes set `apart`."""
        axes = [axis for axis in self.axes if axis not in (*apart, SEED)]
        found = {tuple(cell.labels[axis] for axis in axes) for cell in self.cells}
        places = [{label: place for place, label in enumerate(self.axes[axis])} for axis in axes]
        ordered = sorted(found, key=lambda labels: [place[label] for place, label in zip(places, labels, strict=True)])
        return tuple(dict(zip(axes, labels, strict=True)) for labels in ordered)


def run_of(cell: RecordedCell) -> str:
    """Return the name of the folder of a cell's run."""
    return cell.digest[:DIGITS]
