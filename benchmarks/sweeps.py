"""The speed-up by a second worker: a sweep with `--jobs 2` against the same with `--jobs 1`."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.timing import interleaved
from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.sweeps import SweepSummary, plan_sweep, sweep

ROUNDS = 60


SEEDS = 2


def document(*, rounds: int, seeds: int) -> dict[str, Any]:
    """Return a sweep of four runs per seed, which takes about a minute."""
    return {
        "base": {"data": {"name": "digits"}, "model": {"name": "lenet"}, "federation": {"rounds": rounds}},
        "axes": {
            "attack": [{"name": "none"}, {"name": "ipm", "malicious": 10}],
            "defense.name": ["mean", "median"],
            "seed": list(range(seeds)),
        },
    }


def play(workers: Workers, *, rounds: int, seeds: int) -> SweepSummary:
    """Execute the whole sweep, including the start of worker processes."""
    with TemporaryDirectory() as folder:
        return sweep(plan_sweep(document(rounds=rounds, seeds=seeds)), Path(folder) / "sweep", workers=workers)


def main(
    *, repeats: int = 1, rounds: int = ROUNDS, seeds: int = SEEDS, workers: Callable[[int], Workers] = LocalWorkers
) -> None:
    read = play(workers(2), rounds=min(2, rounds), seeds=seeds)  # warms up the disk cache
    tasks = {name: partial(play, workers(jobs), rounds=rounds, seeds=seeds) for name, jobs in (("one", 1), ("two", 2))}
    seconds = interleaved(tasks, repeats=repeats, warmup=0)
    print(f"\nSeconds of a sweep of {read.runs} runs, {rounds} rounds each, on {len(os.sched_getaffinity(0))} cores.")
    print(f"--jobs 1: {seconds['one']:.1f}, --jobs 2: {seconds['two']:.1f}: {seconds['one'] / seconds['two']:.2f}×")
