"""An attack that starts processes of its own while a run is played: two for a search, and two that invert gradients."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch

from sparring.arrays import Batch
from sparring.contracts import BlackBoxView
from sparring.data.datasets.digits import Digits
from sparring.experiments.jobs.process_pool import LocalWorkers, parallel_calls
from sparring.inversion import GradientInversion
from sparring.learning.distribution import DistributionLearning, EstimatedGradient
from sparring.learning.search import ConstantActions, CrossEntropySearch
from sparring.learning.training_env import LearningTask
from sparring.models import Logistic, network
from tests.games.small_games import Tracking

LEARNING = DistributionLearning(GradientInversion(images=1, iterations=1), batches=2)
ENDLESS = 10**9


@dataclass(frozen=True)
class Parent:
    """Search a policy and invert two gradients in other processes, and send nothing."""

    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        play(steps=8)
        assert invert(LEARNING) == 2
        return torch.zeros(len(view.clients), len(view.parameters))


def play(steps):
    with parallel_calls(2) as calls:
        search = CrossEntropySearch(ConstantActions(), candidates=2, elites=1, calls=calls)
        task = LearningTask(Tracking(), "player")
        search.improve(search.initial(task, seed=0), task, steps=steps, seed=0)


def invert(learning):
    """Return how many batches come of it."""
    data = Digits().load()
    fitted = network(Logistic(), data)
    leaks = [EstimatedGradient(0, torch.zeros(fitted.size), torch.ones(fitted.size))] * 2
    with parallel_calls(2) as calls:
        learning = replace(learning, calls=calls)
        return len(list(learning.reconstruct(fitted, leaks, own=Batch(*(part[:20] for part in data.train)), seed=0)))


def work_for_ever(kind):
    if kind == "games":
        play(ENDLESS)
    invert(replace(LEARNING, search=replace(LEARNING.search, iterations=ENDLESS)))


def employ(kind):
    """Have a worker of this process start processes of its own."""
    list(LocalWorkers(1).calls(work_for_ever, [kind]))


def descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    path = Path(f"/proc/{process}/task/{process}/children")
    children = [int(child) for child in path.read_text().split()] if path.exists() else []
    return [*children, *(each for child in children for each in descendants(child))]
