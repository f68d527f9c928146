"""Many runs from one file: planned, played where there is room, and gone on with."""

from sparring.experiments.sweeps.axes import label
from sparring.experiments.sweeps.folder import Failure, Sweep, read_sweep, run_folder, stop_file
from sparring.experiments.sweeps.grid import Cell
from sparring.experiments.sweeps.local import LocalWorkers
from sparring.experiments.sweeps.plan import Plan, planned
from sparring.experiments.sweeps.sweep import Summary, SweepObserver, missing, settled, summary, sweep
from sparring.experiments.sweeps.task import Ending, Failed, Played, Stopped
from sparring.experiments.sweeps.workers import Here, Workers

__all__ = [
    "Cell",
    "Ending",
    "Failed",
    "Failure",
    "Here",
    "LocalWorkers",
    "Plan",
    "Played",
    "Stopped",
    "Summary",
    "Sweep",
    "SweepObserver",
    "Workers",
    "label",
    "missing",
    "planned",
    "read_sweep",
    "run_folder",
    "settled",
    "stop_file",
    "summary",
    "sweep",
]
