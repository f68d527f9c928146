"""Sweeps: many runs from one file, planned, executed in parallel, and resumable."""

from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.sweeps.axes import label
from sparring.experiments.sweeps.grid import Cell
from sparring.experiments.sweeps.plan import Plan, plan_sweep
from sparring.experiments.sweeps.run_sweep import SweepObserver, SweepSummary, missing, settled, summary, sweep
from sparring.experiments.sweeps.sweep_folder import Failure, Sweep, read_sweep, run_folder
from sparring.experiments.sweeps.task import Ending, Played

__all__ = [
    "Cell",
    "Ending",
    "Failed",
    "Failure",
    "InlineWorkers",
    "LocalWorkers",
    "Plan",
    "Played",
    "Stopped",
    "Sweep",
    "SweepObserver",
    "SweepSummary",
    "Workers",
    "label",
    "missing",
    "plan_sweep",
    "read_sweep",
    "run_folder",
    "settled",
    "stop_file",
    "summary",
    "sweep",
]
