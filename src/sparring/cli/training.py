"""How the policies of a reproduction are trained before it is played."""

from collections.abc import Callable
from pathlib import Path

from sparring.cli.progress import following_training, show_notice
from sparring.experiments.analysis.frames import Labels
from sparring.experiments.jobs.train_policy import train_policies
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.reproductions.online_training import (
    OnlineTraining,
    steps_made,
    steps_wanted,
    train_part,
    training_parts,
)
from sparring.experiments.sweeps import Plan
from sparring.experiments.sweeps.sweep_folder import POLICIES, sweep_lock


def train(plan: Plan, how: Callable[[Labels], OnlineTraining], *, folder: Path, workers: Workers) -> None:
    """Train the policies that the cells of a plan play and that are not there yet."""
    due = training_parts(plan.cells, how)
    show_notice(f"training {len(due)} {'policy' if len(due) == 1 else 'policies'}")
    policies, learning = folder / POLICIES, list(due.values())
    total = sum(steps_wanted(part.rehearsing) for part in learning)
    following = following_training(policies, lambda: [*map(steps_made, learning)], total=total)
    with sweep_lock(folder):
        train_policies(workers, train_part, lessons=due, folder=policies, following=following)
