"""Time of the rules against straightforward implementations in torch, and the memory of the largest round."""

import os
from collections.abc import Callable, Sequence
from dataclasses import fields

import torch
from torch import Tensor

from benchmarks.timing import interleaved, peak_memory
from sparring.arrays import neighbor_scores
from sparring.conformance.server import defender_view
from sparring.defenses import DEFENSES, geometric_median, krum, median, trimmed_mean
from sparring.registry import build

SHAPES = ((10, 700_000), (200, 100_000))
LARGEST = (200, 11_000_000)
ITERATIONS = 10
WITH_MEMORY = {"safeguard", "foolsgold"}
"""Rules with a memory of the size of all updates."""
LEARNED = {"learned"}
"""What sets a rule by a policy in a file."""
INNER = {"name": "mean"}
"""The inner rule of rules that wrap another one."""
COPIES = 2.4
"""The free memory needed, in matrices: the updates, a copy, and smaller temporaries."""


def textbook_geometric_median(updates: Tensor) -> Tensor:
    """Compute the geometric median by Weiszfeld's iterations."""
    point = updates.mean(dim=0)
    for _ in range(ITERATIONS):
        weights = 1 / torch.linalg.vector_norm(updates - point, dim=1).clamp(min=1e-6)
        point = (weights[:, None] * updates).sum(dim=0) / weights.sum()
    return point


def textbook_krum(updates: Tensor, malicious: int) -> Tensor:
    """Compute the distances with `torch.cdist`, which is inaccurate for long rows."""
    distances = torch.cdist(updates, updates).square()
    return updates[neighbor_scores(distances, len(updates) - malicious - 2).argmin()]


def rivals(updates: Tensor) -> dict[str, tuple[Callable[[], Tensor], Callable[[], object]]]:
    """Return each rule and its baseline."""
    malicious = len(updates) // 5
    return {
        "median / sort": (lambda: median(updates), lambda: updates.sort(dim=0)),
        "trimmed mean / sort": (lambda: trimmed_mean(updates, malicious), lambda: updates.sort(dim=0)),
        "krum / cdist": (lambda: krum(updates, malicious), lambda: textbook_krum(updates, malicious)),
        "geometric median / loop": (
            lambda: geometric_median(updates, iterations=ITERATIONS, tolerance=0),
            lambda: textbook_geometric_median(updates),
        ),
    }


def compare(shape: tuple[int, int], *, repeats: int) -> None:
    """Print one row per rule for a matrix of this shape."""
    updates = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    for name, (rule, rival) in rivals(updates).items():
        seconds = interleaved({"rule": rule, "rival": rival}, repeats=repeats)
        ratio = seconds["rival"] / seconds["rule"]
        print(
            f"{shape!s:20}{name:26}{1e3 * seconds['rule']:10.1f}{1e3 * seconds['rival']:10.1f}{ratio:9.1f}×", flush=True
        )


def aggregate(name: str, shape: tuple[int, int], threads: int) -> None:
    """Run one rule with its defaults on a random matrix of this shape."""
    torch.set_num_threads(threads)
    updates = torch.empty(shape).uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
    options = {field.name for field in fields(DEFENSES[name])}
    rule = build("defense", DEFENSES, {"name": name, **({"inner": INNER} if "inner" in options else {})})
    rule.aggregate(defender_view(updates, malicious=shape[0] // 5, root=lambda: updates[0].clone()), {})


def available_memory() -> int:
    """Return the free memory in bytes."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def main(
    *,
    repeats: int = 9,
    threads: int = 2,
    shapes: Sequence[tuple[int, int]] = SHAPES,
    largest: tuple[int, int] = LARGEST,
    measured: Sequence[str] = tuple(sorted(DEFENSES.keys() - WITH_MEMORY - LEARNED)),
) -> None:
    torch.set_num_threads(threads)
    print(f"\nMilliseconds of each rule and its baseline on {threads} threads, medians of {repeats}; their ratio.")
    for shape in shapes:
        compare(shape, repeats=repeats)
    needed = COPIES * 4 * largest[0] * largest[1]
    if available_memory() < needed:
        print(f"Less than {needed / 2**30:.0f} GiB are free: the memory of the rules on {largest} is not measured.")
        return
    print(f"\nPeak GiB of a process that runs one rule on {largest}, including the matrix.")
    for name in measured:
        print(f"{name:26}{peak_memory(aggregate, name, largest, threads) / 1024:8.1f}", flush=True)
