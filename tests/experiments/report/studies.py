"""Studies to make reports of: some that are made up, and one that was played."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from sparring.experiments import parse_config
from sparring.experiments.analysis.frames import MEASURED
from sparring.experiments.analysis.plots import Curve
from sparring.experiments.report.study import Study, run_of
from sparring.experiments.runs.manifest import Manifest
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.experiments.sweeps.sweep_folder import Failure, RecordedCell

EVIL = "<script>alert(1)</script>"

DOCUMENT: dict[str, Any] = {
    "base": {
        "data": {"name": "synthetic", "classes": 4, "features": 6, "examples": 160, "root_size": 20},
        "model": {"name": "logistic"},
        "federation": {"clients": 8, "sampled": 4, "rounds": 6, "batch": 4},
        "evaluation": {"every": 2},
    },
    "axes": {
        "attack": {"none": {"attack.name": "none"}, EVIL: {"attack": {"name": "ipm", "malicious": 2}}},
        "defense.name": ["mean", "median"],
        "seed": [0, 1],
    },
}
VERSIONS = {"sparring": "0.1", "torch": "2.0"}

Results = Mapping[tuple[str, ...], float | None]
"""The accuracy by labels, in the order of the axes; None is a failure."""


def played(folder: Path) -> Path:
    """Play a small sweep of two attacks, one of them with a bad name, two rules and two seeds."""
    sweep(plan_sweep(DOCUMENT), folder)
    return folder


def study(axes: Mapping[str, Sequence[str]], results: Results, *, curve: Curve = ((0, 0.1), (10, 0.5))) -> Study:
    """Make up a study in which everything that has no result was not run."""
    cells = {labels: _place(dict(zip(axes, labels, strict=True))) for labels in product(*axes.values())}
    done = {labels: accuracy for labels, accuracy in results.items() if accuracy is not None}
    lost = [cells[labels] for labels, accuracy in results.items() if accuracy is None]
    columns = [*(axis for axis in axes if axis != "seed"), *MEASURED]
    frame = pd.DataFrame([_row(cells[labels], accuracy) for labels, accuracy in done.items()], columns=columns)
    for axis in columns[: -len(MEASURED)]:
        frame[axis] = pd.Categorical(frame[axis], categories=list(axes[axis]), ordered=True)
    runs = [run_of(cells[labels]) for labels in done]
    return Study(
        name="my sweep",
        axes={axis: tuple(labels) for axis, labels in axes.items()},
        cells=tuple(cells.values()),
        frame=frame.astype(dict.fromkeys(("accuracy", "average_accuracy", "loss", "backdoor_accuracy"), float)),
        manifests=dict.fromkeys(runs, Manifest(parse_config({}), VERSIONS, {})),
        curves=dict.fromkeys(runs, curve),
        failures=tuple(Failure(cell.labels, cell.digest, "RuleError: <b>no</b>", "Traceback <i>") for cell in lost),
    )


def _place(labels: Mapping[str, str]) -> RecordedCell:
    return RecordedCell(labels, hashlib.sha256(repr(labels).encode()).hexdigest())


def _row(cell: RecordedCell, accuracy: float) -> dict[str, Any]:
    measured = {"accuracy": accuracy, "average_accuracy": accuracy / 2, "loss": 1.0, "rounds": 10}
    return {**cell.labels, "seed": int(cell.labels.get("seed", 0)), **measured, "run": run_of(cell)}
