"""Reproduce a published table or figure: train its policies, run its sweep, judge its claims."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd

from sparring.errors import ConfigError
from sparring.experiments.analysis.claims import Judgment
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.reproductions.comparison import judge_preset, make_comparison_tables, make_trial_tables
from sparring.experiments.reproductions.policy_trials import policies_of
from sparring.experiments.reproductions.preset import Preset, Scale, find_shipped, plan_preset
from sparring.experiments.sweeps import Plan, SweepSummary, sweep
from sparring.experiments.sweeps.follower import Follower, NoFollower
from sparring.experiments.sweeps.sweep_folder import POLICIES
from sparring.registry import import_member


@dataclass(frozen=True)
class ReproductionOptions:
    """Options of a reproduction: training, retrying, and the smallest difference that counts."""

    train: bool = False
    """Whether to train policies instead of using the pre-trained ones."""
    retry_failed: bool = False
    """Whether to repeat runs that failed before."""
    gap: float = SMALLEST_GAP
    """The smallest difference in a metric that counts."""


HERE, NOBODY, DEFAULTS = InlineWorkers(), NoFollower(), ReproductionOptions()


@dataclass(frozen=True)
class ReproductionResult:
    """The runs of a preset, their comparison with the published values, and the judgments of its claims."""

    plan: Plan
    summary: SweepSummary
    runs: pd.DataFrame
    """One row per run."""
    tables: tuple[Table, ...]
    """The tables *published | measured | holds?*, and the trials of learned attacks."""
    judgments: tuple[Judgment, ...]


def plan_reproduction(preset: Preset, scale: Scale, *, folder: Path, train: bool = False) -> Plan:
    """Return the plan of a preset with pre-trained policies, or with the policies in `folder`."""
    known = None if train else find_shipped(preset, scale)
    return plan_preset(preset, scale, policies=str(folder / POLICIES) if known is None else known)


def reproduce(
    preset: Preset,
    scale: Scale = "laptop",
    *,
    folder: str | Path,
    workers: Workers = HERE,
    follower: Follower = NOBODY,
    options: ReproductionOptions = DEFAULTS,
) -> ReproductionResult:
    """Run or resume a preset in `folder`, and judge its claims.

    Missing policies are trained first.
    """
    train, gap = options.train, options.gap
    refuse_training(preset, train=train)
    folder = Path(folder)
    plan = plan_reproduction(preset, scale, folder=folder, train=train)
    if preset.training is not None and any(not policy.exists() for policy in _policies(plan)):
        # Imported on demand: Stable-Baselines3 is slow to import, and most reproductions train nothing.
        train_attacks = import_member("sparring.experiments.reproductions.online_training:train_attacks")
        train_attacks(plan, partial(preset.training, scale), folder=folder, workers=workers, follower=follower)
        plan = plan_reproduction(
            preset, scale, folder=folder, train=train
        )  # the digests of runs depend on the policies
    with follower.sweep(folder, workers.size) as observer:
        stands = sweep(plan, folder, workers=workers, observer=observer, retry_failed=options.retry_failed)
    runs = read_frame(folder)
    tables = make_comparison_tables(preset, scale, cells=[cell.labels for cell in plan.cells], runs=runs, gap=gap)
    judged = judge_preset(preset, scale, runs=runs, gap=gap)
    return ReproductionResult(plan, stands, runs, tuple(chain(tables, make_trial_tables(plan.cells))), judged)


def refuse_training(preset: Preset, *, train: bool) -> None:
    """Reject training for a preset without a learned attack."""
    if train and preset.training is None:
        raise ConfigError(f"--train is given; {preset.id} has no learned attack, leave the option out")


def _policies(plan: Plan) -> Iterator[Path]:
    """Yield the files of the learned attacks in a plan."""
    return (policy for cell in plan.cells for policy in policies_of(cell.config))
