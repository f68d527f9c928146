"""Sweeps: many runs from one file, planned, executed in parallel, and resumable."""

from sparring.experiments.jobs.job import Failed, Stopped, stop_file
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.sweeps.axes import make_label
from sparring.experiments.sweeps.grid import Cell
from sparring.experiments.sweeps.plan import Plan, plan_sweep
from sparring.experiments.sweeps.run_sweep import (
    SweepObserver,
    SweepSummary,
    list_missing,
    settle_plan,
    summarize_sweep,
    sweep,
)
from sparring.experiments.sweeps.sweep_folder import Failure, Sweep, read_sweep, run_folder
from sparring.experiments.sweeps.task import Completed, Ending

__all__ = [
    "Cell",
    "Completed",
    "Ending",
    "Failed",
    "Failure",
    "InlineWorkers",
    "LocalWorkers",
    "Plan",
    "Stopped",
    "Sweep",
    "SweepObserver",
    "SweepSummary",
    "Workers",
    "list_missing",
    "make_label",
    "plan_sweep",
    "read_sweep",
    "run_folder",
    "settle_plan",
    "stop_file",
    "summarize_sweep",
    "sweep",
]
