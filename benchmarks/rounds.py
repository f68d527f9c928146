"""Rounds per second and peak memory of each workload, against the sequential backend and a plain loop."""

from dataclasses import replace

import torch

from benchmarks.plain import PlainLoop
from benchmarks.timing import interleaved, peak_memory
from benchmarks.workloads import WORKLOADS, on_backend, scenario
from sparring.defenses import Median
from sparring.federation import Scenario, initial_state, play_round
from sparring.training import Auto, Sequential, keep_freed_memory

HEADINGS = ("plain", "plain kept", "sequential", "default", "to plain", "to kept", "to seq.", "peak MiB")


class Rounds:
    """A federation that plays one round a call."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.state = scenario, initial_state(scenario.federation)
        self.workspace = torch.empty(scenario.federation.sampled, scenario.federation.network.size)

    def play_round(self) -> None:
        self.state, _ = play_round(self.scenario, self.state, workspace=self.workspace)


def play_ten(name: str, threads: int) -> None:
    """Play ten rounds of a workload as the command line does, for its peak of memory."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    rounds = Rounds(scenario(name))
    for _ in range(10):
        rounds.play_round()


def as_it_comes(*, repeats: int) -> dict[str, tuple[float, float]]:
    """Return each workload's seconds a round of the plain loop and of the default backend, before memory is kept.

    The two take turns, as all that is compared must: timed by itself, the plain loop came out a third slower.
    """
    return {name: _turns(name, repeats=repeats) for name in WORKLOADS}


def _turns(name: str, *, repeats: int) -> tuple[float, float]:
    setting = scenario(name)
    players = {"plain": PlainLoop(name, setting).play_round, "default": Rounds(setting).play_round}
    seconds = interleaved(players, repeats=repeats)
    return seconds["plain"], seconds["default"]


def measure(name: str, before: tuple[float, float], *, repeats: int, threads: int) -> str:
    """Return one line of the table; `before` are the times of the plain loop and the default, memory not kept."""
    setting = scenario(name)
    players = {
        "plain kept": PlainLoop(name, setting),
        "sequential": Rounds(on_backend(setting, Sequential())),
        "default": Rounds(on_backend(setting, Auto())),
    }
    kept = interleaved({label: player.play_round for label, player in players.items()}, repeats=repeats)
    seconds = {"plain": before[0]} | kept
    rates = "".join(f"{1 / value:11.2f}" for value in seconds.values())
    compared = [before[0] / before[1], *(kept[label] / kept["default"] for label in ("plain kept", "sequential"))]
    ratios = "".join(f"{ratio:10.2f}×" for ratio in compared)
    return f"{name:26}{rates}{ratios}{peak_memory(play_ten, name, threads):11.0f}"


def main(*, repeats: int = 15, threads: int = 2) -> None:
    torch.set_num_threads(threads)
    print(f"Rounds per second on {threads} threads, medians of {repeats}; ratios of the default backend to the others.")
    print("'kept': in a process that keeps the memory it frees, as the command line does.")
    print(f"{'':26}{''.join(f'{heading:>11}' for heading in HEADINGS)}")
    before = as_it_comes(repeats=repeats)
    keep_freed_memory()
    for name in WORKLOADS:
        print(measure(name, before[name], repeats=repeats, threads=threads), flush=True)
    print(
        f"A round of the first workload with the median costs {median_to_mean(repeats=repeats):.3f}× one with the mean."
    )


def median_to_mean(*, repeats: int) -> float:
    """Return what a round of the papers' CNN costs with the median, as a multiple of one with the mean."""
    setting = scenario(next(iter(WORKLOADS)))
    players = {"mean": Rounds(setting), "median": Rounds(replace(setting, defense=Median()))}
    seconds = interleaved({label: player.play_round for label, player in players.items()}, repeats=repeats)
    return seconds["median"] / seconds["mean"]
