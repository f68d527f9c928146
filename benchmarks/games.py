"""The overhead of the federated game, of one attacker and of a team: a step against the bare rounds of training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from benchmarks.timing import interleaved
from benchmarks.workloads import WORKLOADS, Workload, scenario
from sparring.arrays import Batch
from sparring.attacks import LocalSearchActions, ScaledGradientActions
from sparring.federation import Attacker, Scenario, initial_state, play_round
from sparring.games.env import SeatEnv
from sparring.games.federated import ATTACKER, FederatedGame, attack_game, team_game
from sparring.models import Cnn
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
TEAMS = {"team of 50, cnn 8, 200 of 1000 × 8": Workload(Cnn(width=8), (1, 28, 28), 1000, 200, 8)}
"""The federation of MARL: a twentieth of the clients is malicious."""
TEAM_SHARE = 20
FACTORS = ScaledGradientActions()
"""A member's own update times a number, with gradient rescaling."""


class Steps:
    """An attacker's seat that takes one step per call and counts the rounds."""

    def __init__(self, game: FederatedGame) -> None:
        self.env = SeatEnv(game, ATTACKER)
        self.still = np.zeros(self.env.action_space.shape, dtype=np.float32)
        self.env.reset(seed=0)

    def play(self) -> None:
        self.env.step(self.still)

    @property
    def rounds(self) -> int:
        return int(self.env.match.state.federation.round)


class Bare:
    """The same attack without a game, one round per call."""

    def __init__(self, played: Scenario, attacker: Attacker) -> None:
        self.scenario = replace(played, attackers=(attacker,))
        self.state = initial_state(played.federation)

    def play(self) -> None:
        self.state, _ = play_round(self.scenario, self.state)


def one_attacker(workload: Workload) -> tuple[Steps, Bare]:
    """Return the seat of one attacker, and the same attack without a game."""
    played = scenario(workload)
    game = attack_game(_with_few_tested(played), malicious=MALICIOUS, acting=RANGES, rounds=ROUNDS)
    return Steps(game), Bare(played, Attacker(MALICIOUS, RANGES.attack(STILL)))


def team(workload: Workload) -> tuple[Steps, Bare]:
    """Return the seat of a team, and the same attack without a game."""
    played, malicious = scenario(workload), max(1, workload.clients // TEAM_SHARE)
    game = team_game(_with_few_tested(played), malicious=malicious, acting=FACTORS, rounds=ROUNDS)
    ranks = min(malicious, workload.sampled)
    return Steps(game), Bare(played, Attacker(malicious, FACTORS.attack(np.zeros((ranks, 1), dtype=np.float32))))


def _with_few_tested(played: Scenario) -> Scenario:
    inputs, labels = played.federation.test
    return replace(played, federation=replace(played.federation, test=Batch(inputs[:HELD], labels[:HELD])))


def measure(make: Callable[[Workload], tuple[Steps, Bare]], workload: Workload, threads: int, *, repeats: int) -> str:
    """Return the row of a workload."""
    torch.set_num_threads(threads)
    steps, bare = make(workload)
    first, warmup = steps.rounds, 2
    seconds = interleaved({"step": steps.play, "round": bare.play}, repeats=repeats, warmup=warmup)
    a_step = (steps.rounds - first) / (repeats + warmup)
    ratio = seconds["step"] / seconds["round"]
    return f"{threads:>8}{1e3 * seconds['step']:9.1f}{1e3 * seconds['round']:9.1f}{ratio:8.2f}×{a_step:9.2f}"


def main(
    *,
    repeats: int = 21,
    threads: Sequence[int] = (1, 2),
    workloads: Mapping[str, Workload] = PLAYED,
    teams: Mapping[str, Workload] = TEAMS,
) -> None:
    keep_freed_memory()
    print(
        "\nMedian milliseconds of a step of the federated game and of a bare round, their ratio, and rounds per step."
    )
    print(f"{'federation':36}" + "".join(f"{name:>8}" for name in ("threads", "step", "round", "ratio", "rounds")))
    for make, played in ((one_attacker, workloads), (team, teams)):
        for name, workload in played.items():
            for count in threads:
                print(f"{name:36}{measure(make, workload, count, repeats=repeats)}", flush=True)


if __name__ == "__main__":
    main()
