"""A run in a process of its own, to be killed. Saving after every round makes it likely that this happens meanwhile."""

import multiprocessing
import os
import signal
import time
from math import inf
from pathlib import Path

from sparring.experiments import run
from sparring.experiments.jobs.save_pace import CheckpointInterval
from tests.experiments.small import small

ALWAYS = CheckpointInterval(seconds=0, share=inf)


def play(folder: Path, *settings: str) -> None:
    run(small(*settings), folder, cadence=ALWAYS)


def killed(folder: Path, *settings: str, rounds: int, delay: float) -> int:
    """Start a run, kill it `delay` seconds after that many rounds were recorded, and return how many there are."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sparring.experiments"])
    process = context.Process(target=play, args=(folder, *settings))
    process.start()
    while process.is_alive() and _recorded(folder) <= rounds:
        time.sleep(0.001)
    time.sleep(delay)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    return _recorded(folder)


def _recorded(folder: Path) -> int:
    path = folder / "rounds.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def die(*_: object) -> None:
    """End this process as a machine without memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
