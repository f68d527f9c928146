"""The overhead of the federated game: a step of its environment against the bare rounds of training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from benchmarks.timing import interleaved
from benchmarks.workloads import WORKLOADS, Workload, scenario
from sparring.arrays import Batch
from sparring.attacks import LocalSearchActions
from sparring.federation import Attacker, initial_state, play_round
from sparring.games.env import SeatEnv
from sparring.games.federated import ATTACKER, attack_game
from sparring.training import keep_freed_memory

PLAYED = {
    name: WORKLOADS[name] for name in ("cnn 64, 10 of 100 × 128", "cnn 16, 10 of 100 × 32", "lenet, 10 of 50 × 32")
}
MALICIOUS, HELD = 20, 200
"""The malicious clients, and the number of examples for the reward, as in Li et al. (2022)."""
RANGES = LocalSearchActions(scale=(1.0, 1.0), steps=(1, 1))
"""One gradient step of the attacker, in the game as in the bare round."""
STILL = np.zeros(RANGES.numbers, dtype=np.float32)
ROUNDS = 1000


class Steps:
    """An attacker's seat that takes one step per call and counts the rounds."""

    def __init__(self, workload: Workload) -> None:
        played = scenario(workload)
        inputs, labels = played.federation.test
        held = replace(played.federation, test=Batch(inputs[:HELD], labels[:HELD]))
        game = attack_game(replace(played, federation=held), malicious=MALICIOUS, acting=RANGES, rounds=ROUNDS)
        self.env = SeatEnv(game, ATTACKER)
        self.env.reset(seed=0)

    def play(self) -> None:
        self.env.step(STILL)

    @property
    def rounds(self) -> int:
        return int(self.env.match.state.federation.round)


class Bare:
    """The same attack without a game, one round per call."""

    def __init__(self, workload: Workload) -> None:
        played = scenario(workload)
        self.scenario = replace(played, attackers=(Attacker(MALICIOUS, RANGES.attack(STILL)),))
        self.state = initial_state(played.federation)

    def play(self) -> None:
        self.state, _ = play_round(self.scenario, self.state)


def measure(workload: Workload, threads: int, *, repeats: int) -> str:
    """Return the row of a workload."""
    torch.set_num_threads(threads)
    steps, bare = Steps(workload), Bare(workload)
    first, warmup = steps.rounds, 2
    seconds = interleaved({"step": steps.play, "round": bare.play}, repeats=repeats, warmup=warmup)
    a_step = (steps.rounds - first) / (repeats + warmup)
    ratio = seconds["step"] / seconds["round"]
    return f"{threads:>8}{1e3 * seconds['step']:9.1f}{1e3 * seconds['round']:9.1f}{ratio:8.2f}×{a_step:9.2f}"


def main(*, repeats: int = 21, threads: Sequence[int] = (1, 2), workloads: Mapping[str, Workload] = PLAYED) -> None:
    keep_freed_memory()
    print(
        "\nMedian milliseconds of a step of the federated game and of a bare round, their ratio, and rounds per step."
    )
    print(f"{'federation':28}" + "".join(f"{name:>8}" for name in ("threads", "step", "round", "ratio", "rounds")))
    for name, workload in workloads.items():
        for count in threads:
            print(f"{name:28}{measure(workload, count, repeats=repeats)}", flush=True)


if __name__ == "__main__":
    main()
