"""Comparable timings on a machine with other users."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from statistics import median


def interleaved(
    tasks: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    warmup: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds of each task; the tasks are interleaved, so that slow periods affect all of them."""
    for _ in range(warmup):
        for task in tasks.values():
            task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            start = clock()
            task()
            seconds[name].append(clock() - start)
    return {name: median(values) for name, values in seconds.items()}


def peak_memory(task: Callable[..., object], *arguments: object) -> float:
    """Return the peak memory in MiB of a fresh process that runs `task`, including torch and data."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (task, arguments))


def _peak(task: Callable[..., object], arguments: tuple[object, ...]) -> float:
    task(*arguments)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
