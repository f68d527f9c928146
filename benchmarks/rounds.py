"""Rounds per second and peak memory of each workload, against the sequential backend and a plain loop."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from benchmarks.plain import PlainLoop
from benchmarks.timing import interleaved, peak_memory
from benchmarks.workloads import WORKLOADS, Workload, on_backend, scenario
from sparring.defenses import Median
from sparring.federation import Scenario, initial_state, play_round
from sparring.training import Auto, Sequential, keep_freed_memory

HEADINGS = ("plain", "plain kept", "sequential", "default", "to plain", "to kept", "to seq.", "peak MiB")


class Rounds:
    """A federation that trains for one round per call."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.state = scenario, initial_state(scenario.federation)
        self.workspace = torch.empty(scenario.federation.sampled, scenario.federation.network.size)

    def play_round(self) -> None:
        self.state, _ = play_round(self.scenario, self.state, workspace=self.workspace)


def play_ten(workload: Workload, threads: int) -> None:
    """Train for ten rounds of a workload as the command line does, for measuring the peak memory."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    rounds = Rounds(scenario(workload))
    for _ in range(10):
        rounds.play_round()


def time_before_keeping(workloads: Mapping[str, Workload], *, repeats: int) -> dict[str, tuple[float, float]]:
    """Return the seconds per round of each workload with the plain loop and the default backend, before memory is kept.

    The two are interleaved, as all compared tasks must be: timed alone, the plain loop was a third slower.
    """
    return {name: _turns(workload, repeats=repeats) for name, workload in workloads.items()}


def _turns(workload: Workload, *, repeats: int) -> tuple[float, float]:
    setting = scenario(workload)
    players = {"plain": PlainLoop(workload, setting).play_round, "default": Rounds(setting).play_round}
    seconds = interleaved(players, repeats=repeats)
    return seconds["plain"], seconds["default"]


def measure(workload: Workload, before: tuple[float, float], *, repeats: int, threads: int) -> str:
    """Return the row of a workload; `before` are the times of the plain loop and the default, before memory is kept."""
    setting = scenario(workload)
    players = {
        "plain kept": PlainLoop(workload, setting),
        "sequential": Rounds(on_backend(setting, Sequential())),
        "default": Rounds(on_backend(setting, Auto())),
    }
    kept = interleaved({label: player.play_round for label, player in players.items()}, repeats=repeats)
    seconds = {"plain": before[0]} | kept
    rates = "".join(f"{1 / value:11.2f}" for value in seconds.values())
    compared = [before[0] / before[1], *(kept[label] / kept["default"] for label in ("plain kept", "sequential"))]
    ratios = "".join(f"{ratio:10.2f}×" for ratio in compared)
    return f"{rates}{ratios}{peak_memory(play_ten, workload, threads):11.0f}"


def main(*, repeats: int = 15, threads: int = 2, workloads: Mapping[str, Workload] = WORKLOADS) -> None:
    torch.set_num_threads(threads)
    print(f"Rounds per second on {threads} threads, medians of {repeats}; ratios of the default backend to the others.")
    print("'kept': in a process that keeps freed memory, as the command line does.")
    print(f"{'':26}{''.join(f'{heading:>11}' for heading in HEADINGS)}")
    before = time_before_keeping(workloads, repeats=repeats)
    keep_freed_memory()
    for name, workload in workloads.items():
        print(f"{name:26}{measure(workload, before[name], repeats=repeats, threads=threads)}", flush=True)
    ratio = median_to_mean(next(iter(workloads.values())), repeats=repeats)
    print(f"A round of the first workload with the median takes {ratio:.3f}× the time of one with the mean.")


def median_to_mean(workload: Workload, *, repeats: int) -> float:
    """Return the time of a round with the median, as a multiple of a round with the mean."""
    setting = scenario(workload)
    players = {"mean": Rounds(setting), "median": Rounds(replace(setting, defense=Median()))}
    seconds = interleaved({label: player.play_round for label, player in players.items()}, repeats=repeats)
    return seconds["median"] / seconds["mean"]
