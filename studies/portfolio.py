"""The error that constant portfolios leave under a rule: `python -m studies.portfolio RULE`.

Each portfolio is the local search with a share of the attackers' own mean update; its length is in units of their own
updates. The federation is that in which an audit of the rule trains, and all play the same episodes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from sparring.attacks import Portfolio
from sparring.contracts import Attack, Network
from sparring.experiments.audit import read_request
from sparring.experiments.audit.training import make_learning_task
from sparring.experiments.config.build import build_scenario, load_dataset
from sparring.federation import Scenario
from sparring.learning.evaluation import episode_returns
from sparring.policies.network import constant_policy
from sparring.training import keep_freed_memory

CENTERS, SCALES = (0.0, 0.5, 1.0), (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)


@dataclass(frozen=True)
class SinglePortfolio:
    """An action space with one action, which is not read."""

    portfolio: Portfolio

    def size(self, network: Network) -> int:
        return 1

    def attack(self, action: np.ndarray) -> Attack:
        return self.portfolio


def errors(
    scenario: Scenario, *, rounds: int, steps: int, episodes: int, scales: Sequence[float] = SCALES
) -> Iterator[tuple[float, list[float]]]:
    """Yield each center with the mean error after the last round, by scale."""
    for center in CENTERS:
        row = []
        for scale in scales:
            acting = SinglePortfolio(Portfolio(scale=scale, center=center, steps=steps))
            task = make_learning_task(scenario, acting, rounds=rounds, gain="end")
            policy = constant_policy(task.space)
            returns, _ = episode_returns(task, [policy], numbers=range(episodes), seed=0, name="portfolio")
            row.append(float(returns.mean()))
        yield center, row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rule", help="name of the rule")
    parser.add_argument("--steps", type=int, default=25, help="E: steps of the local search")
    parser.add_argument("--episodes", type=int, default=16, help="common episodes")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    request = read_request({"defense": {"name": asked.rule}}, seeds=2, budget=600.0)
    config = request.run({"name": "none"}, request.training_seed)
    scenario = build_scenario(config, load_dataset(config))
    _write("c \\ γ ", [f"{scale:6g}" for scale in SCALES])
    rows = errors(scenario, rounds=config.federation.rounds, steps=asked.steps, episodes=asked.episodes)
    for center, row in rows:
        _write(f"{center:6g}", [f"{error:6.2f}" for error in row])


def _write(name: str, cells: list[str]) -> None:
    sys.stdout.write(" ".join([name, *cells]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
