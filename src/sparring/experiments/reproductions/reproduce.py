"""A published table or figure: its policies are trained, its sweep is played, its claims are judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd

from sparring.errors import ConfigError
from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.frames import frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.reproductions.comparison import beside, judgments, lessons
from sparring.experiments.reproductions.policy_trials import policies_of
from sparring.experiments.reproductions.preset import Preset, Scale, plan_of, shipped
from sparring.experiments.sweeps import Plan, SweepSummary, sweep
from sparring.experiments.sweeps.follower import Follower, NoFollower
from sparring.experiments.sweeps.sweep_folder import POLICIES
from sparring.registry import imported


@dataclass(frozen=True)
class ReproductionOptions:
    """What is done again that was done before, and what counts as a difference."""

    train: bool = False
    """Whether policies are trained in place of playing those that come with Sparring."""
    retry_failed: bool = False
    """Whether runs are played again that failed."""
    gap: float = SMALLEST_GAP
    """The smallest difference of a metric that counts."""


HERE, NOBODY, DEFAULTS = InlineWorkers(), NoFollower(), ReproductionOptions()


@dataclass(frozen=True)
class ReproductionResult:
    """The runs of a preset beside the published numbers, and what they say of its claims."""

    plan: Plan
    summary: SweepSummary
    runs: pd.DataFrame
    """One row a run."""
    tables: tuple[Table, ...]
    """*published | measured | holds?*, and how the learned attacks were chosen."""
    judgments: tuple[Judgment, ...]


def plan_reproduction(preset: Preset, scale: Scale, *, folder: Path, train: bool = False) -> Plan:
    """Return the sweep of a preset with the policies that come with Sparring, or with those that `folder` holds."""
    known = None if train else shipped(preset, scale)
    return plan_of(preset, scale, policies=str(folder / POLICIES) if known is None else known)


def reproduce(
    preset: Preset,
    scale: Scale = "laptop",
    *,
    folder: str | Path,
    workers: Workers = HERE,
    follower: Follower = NOBODY,
    options: ReproductionOptions = DEFAULTS,
) -> ReproductionResult:
    """Play a preset into `folder`, resuming what the folder holds, and judge its claims.

    Policies that are missing are trained first.
    """
    train, gap = options.train, options.gap
    refuse_training(preset, train=train)
    folder = Path(folder)
    plan = plan_reproduction(preset, scale, folder=folder, train=train)
    if preset.rehearsing is not None and any(not policy.exists() for policy in _policies(plan)):
        # Whoever trains nothing does not wait for Stable-Baselines3.
        train_attacks = imported("sparring.experiments.reproductions.online_training:train_attacks")
        train_attacks(plan, partial(preset.rehearsing, scale), folder=folder, workers=workers, follower=follower)
        plan = plan_reproduction(preset, scale, folder=folder, train=train)  # runs are known by what the policies are
    with follower.sweep(folder, workers.size) as observer:
        stands = sweep(plan, folder, workers=workers, observer=observer, retry_failed=options.retry_failed)
    runs = frame(folder)
    tables = beside(preset, scale, cells=[cell.labels for cell in plan.cells], runs=runs, gap=gap)
    judged = judgments(preset, scale, runs=runs, gap=gap)
    return ReproductionResult(plan, stands, runs, tuple(chain(tables, lessons(plan.cells))), judged)


def refuse_training(preset: Preset, *, train: bool) -> None:
    """Refuse to train for a preset of which no attack learns."""
    if train and preset.rehearsing is None:
        raise ConfigError(f"--train is given; {preset.id} plays no learned attack, leave it out")


def _policies(plan: Plan) -> Iterator[Path]:
    """Yield the files of the learned attacks that are played."""
    return (policy for cell in plan.cells for policy in policies_of(cell.config))
