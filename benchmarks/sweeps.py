"""What a second job is worth: a sweep with `--jobs 2` against the same with `--jobs 1`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.timing import interleaved
from sparring.experiments.sweeps import LocalWorkers, Summary, planned, sweep

ROUNDS = 60


def document(*, rounds: int) -> dict[str, Any]:
    """Return a sweep of eight runs, small enough for a minute."""
    return {
        "base": {"data": {"name": "digits"}, "model": {"name": "lenet"}, "federation": {"rounds": rounds}},
        "axes": {
            "attack": [{"name": "none"}, {"name": "ipm", "malicious": 10}],
            "defense.name": ["mean", "median"],
            "seed": [0, 1],
        },
    }


def play(jobs: int, *, rounds: int = ROUNDS) -> Summary:
    """Play the sweep from its start, worker processes included."""
    with TemporaryDirectory() as folder:
        return sweep(planned(document(rounds=rounds)), Path(folder) / "sweep", workers=LocalWorkers(jobs))


def main(*, repeats: int = 1) -> None:
    stands = play(2, rounds=2)  # what is read from the disk for the first time is read now
    seconds = interleaved({"one": lambda: play(1), "two": lambda: play(2)}, repeats=repeats, warmup=0)
    print(f"\nSeconds of a sweep of {stands.runs} runs, {ROUNDS} rounds each, on {len(os.sched_getaffinity(0))} cores.")
    print(f"--jobs 1: {seconds['one']:.1f}, --jobs 2: {seconds['two']:.1f}: {seconds['one'] / seconds['two']:.2f}×")
