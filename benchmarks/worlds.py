"""What learning pays for: rounds of the attackers' worlds, steps of their games, and a search over policies."""

import time
from collections.abc import Mapping

import torch

from benchmarks.plain import PlainLoop
from benchmarks.rounds import Rounds
from benchmarks.timing import interleaved
from benchmarks.workloads import Workload, on_backend, scenario
from sparring.arrays import Batch
from sparring.attacks import LocalSearchActions
from sparring.contracts import Defense, Recipe
from sparring.data import Dataset, Digits, Iid, divide
from sparring.defenses import Krum, Mean, Median
from sparring.federation import Federation, FederationState, Scenario, play_rounds
from sparring.games.federated import ATTACKER, FederatedGame, attack_game, world_model
from sparring.learning.evaluation import TOGETHER, episode_returns
from sparring.learning.search import ConstantActions
from sparring.learning.training_env import LearningTask
from sparring.models import Cnn, LeNet, Logistic, Mlp, network
from sparring.random import stream
from sparring.training import Auto, keep_freed_memory

WORLDS: Mapping[str, Workload] = {
    name: Workload(model, (1, 28, 28), 100, 10, 32, examples=5000)
    for name, model in {
        "lenet": LeNet(),
        "cnn 8": Cnn(width=8),
        "cnn 16": Cnn(width=16),
        "logistic": Logistic(),
        "mlp 100": Mlp(hidden=100),
    }.items()
}
"""Worlds of 10 of 100 clients with minibatches of 32."""
RULES: Mapping[str, Defense] = {"krum": Krum(), "median": Median(), "mean": Mean()}
CLIENTS, MALICIOUS, SHARED = 50, 10, 200
"""The clients and the malicious ones of the games, and the examples that the attackers share."""
RANGES = LocalSearchActions(scale=(0.1, 30.0), steps=(1, 49), spacing="log")
EPISODES, CORES = 2000, 2
"""The search whose duration is estimated."""


class LockStep:
    """Worlds that draw the same and differ in their models: each call is a round of all."""

    def __init__(self, scenario: Scenario, worlds: int) -> None:
        network = scenario.federation.network
        self.scenarios = [scenario] * worlds
        self.states = [FederationState(0, network.initial(stream(world, "model"))) for world in range(worlds)]

    def play_rounds(self) -> None:
        self.states = [state for state, _ in play_rounds(self.scenarios, self.states)]


def rates(workload: Workload, *, repeats: int) -> tuple[float, float, float]:
    """Return the rounds per CPU second of the plain loop, of a world, and of worlds in lock-step."""
    setting = on_backend(scenario(workload), Auto(pooled=True))
    players = {
        "plain": PlainLoop(workload, setting).play_round,
        "world": Rounds(setting).play_round,
        "lock-step": LockStep(setting, TOGETHER).play_rounds,
    }
    seconds = interleaved(players, repeats=repeats, clock=time.process_time)
    return 1 / seconds["plain"], 1 / seconds["world"], TOGETHER / seconds["lock-step"]


def digits_game(data: Dataset, rule: Defense, *, rounds: int) -> FederatedGame:
    """Return an attackers' game on digits, with logistic regression, in the world of their shared examples."""
    federation = Federation(
        network=network(Logistic(), data),
        shards=divide(data.train, Iid(), clients=CLIENTS, seed=0),
        test=data.test,
        recipe=Recipe(steps=1, batch=32, lr=0.05),
    )
    shared = Batch(*(part[:SHARED] for part in data.train))
    return attack_game(
        world_model(Scenario(federation, rule), shared), malicious=MALICIOUS, acting=RANGES, rounds=rounds
    )


def game_times(game: FederatedGame, *, policies: int) -> tuple[float, float]:
    """Return the CPU seconds of a step and of an episode, over constant actions drawn from the whole range."""
    task, rng = LearningTask(game, ATTACKER), stream(0, "actions")
    family = ConstantActions()
    drawn = [torch.from_numpy(rng.uniform(-1, 1, family.size(task.space))) for _ in range(policies)]
    start = time.process_time()
    _, steps = episode_returns(task, [family.policy(each, task.space) for each in drawn], numbers=[0], seed=0, name="b")
    spent = time.process_time() - start
    return spent / steps, spent / policies


def main(*, repeats: int = 21, policies: int = 24, rounds: int = 40, worlds: Mapping[str, Workload] = WORLDS) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    print("\nRounds per CPU second of the plain loop, of a world of 10 of 100 × 32, and of")
    print(f"{TOGETHER} worlds in lock-step, as a search plays them; ratios to the plain loop.")
    print(f"{'model':12}{'plain':>9}{'world':>9}{'ratio':>9}{'lock-step':>11}{'ratio':>9}")
    for name, workload in worlds.items():
        plain, world, together = rates(workload, repeats=repeats)
        own = f"{world:9.1f}{world / plain:8.2f}×"
        print(f"{name:12}{plain:9.1f}{own}{together:11.1f}{together / plain:8.2f}×", flush=True)
    print(f"\nGames on digits with logistic regression, episodes of {rounds} rounds: steps per CPU second,")
    print(f"milliseconds of a step, and the minutes of a search of {EPISODES} episodes on {CORES} cores.")
    print(f"{'rule':12}{'steps':>9}{'ms':>9}{'minutes':>9}")
    data = Digits().load()
    for name, rule in RULES.items():
        step, episode = game_times(digits_game(data, rule, rounds=rounds), policies=policies)
        minutes = EPISODES * episode / CORES / 60
        print(f"{name:12}{1 / step:9.1f}{1e3 * step:9.2f}{minutes:9.2f}", flush=True)


if __name__ == "__main__":
    main()
