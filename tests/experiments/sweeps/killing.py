"""A sweep in a process of its own, to be killed, with workers of its own, which must not outlive it."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

from sparring.experiments.jobs.process_pool import LocalWorkers
from sparring.experiments.sweeps import plan_sweep, sweep
from tests.experiments.sweeps.grids import complete
from tests.experiments.sweeps.offspring import descendants, employ


def play(document: dict[str, Any], folder: Path, size: int) -> None:
    sweep(plan_sweep(document), folder, workers=LocalWorkers(size))


def killed(document: dict[str, Any], folder: Path, *, size: int, runs: int) -> int:
    """Start a sweep, kill it within a run once so many are complete, and return how many are."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sparring.experiments.sweeps"])
    process = context.Process(target=play, args=(document, folder, size))
    process.start()
    while process.is_alive() and not (complete(folder) >= runs and _under_way(folder)):
        time.sleep(0.01)
    assert process.pid is not None
    workers = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(workers) >= size
    _wait_for_the_end(workers)
    return complete(folder)


def orphaned(kind: str, *, processes: int) -> None:
    """Kill a process whose worker has started processes of its own, and wait until all are gone."""
    process = multiprocessing.get_context("spawn").Process(target=employ, args=(kind,))
    process.start()
    assert process.pid is not None
    while process.is_alive() and len(descendants(process.pid)) < processes:
        time.sleep(0.01)
    started = descendants(process.pid)
    assert len(started) >= processes
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    _wait_for_the_end(started)


def _under_way(folder: Path) -> bool:
    """Say whether a run has begun that is not complete."""
    return len(list(folder.glob("runs/*/rounds.jsonl"))) > complete(folder)


def _wait_for_the_end(processes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(map(_is_alive, processes)):
        assert time.monotonic() < deadline, "workers outlive the sweep"
        time.sleep(0.01)


def _is_alive(process: int) -> bool:
    """Say whether a process is neither gone nor waiting to be forgotten."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
