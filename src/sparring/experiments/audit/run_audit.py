"""Audit a rule with hand-crafted attacks and with one trained against it; each stage resumes where it stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.frames import read_frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.budget import (
    ATTACKS,
    BREAKING,
    BREAKING_SEEDS,
    NAME,
    REFERENCES,
    TRAINING,
    AuditPlan,
    count_tries,
    measure_plan,
    read_plan,
    write_plan,
)
from sparring.experiments.audit.contenders import TD3, Rung, steps_of_rungs, units_in_sequence
from sparring.experiments.audit.goals import TEAM, UNTARGETED, Goal
from sparring.experiments.audit.overheads import Overheads, measure_overheads
from sparring.experiments.audit.references import ReferenceRow, reference_rules
from sparring.experiments.audit.report import audit_page
from sparring.experiments.audit.request import NO_ATTACK, AuditRequest
from sparring.experiments.audit.result import (
    Audit,
    AuditVerdict,
    Breaking,
    compare_rules,
    find_worst,
    judge,
    remaining_accuracy,
    verdict_to_json,
)
from sparring.experiments.audit.training import (
    TrainedPolicy,
    TrainingJob,
    TrainingTask,
    count_progress,
    is_trained,
    read_trained,
    steps_to_compare,
    train_in_worker,
)
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import (
    PARTIAL,
    admit_writing,
    refuse_other_files,
    write,
    write_json,
)
from sparring.experiments.jobs.train_policy import HONEST, train_policies
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.report import read_study
from sparring.experiments.runs.run_folder import LOCK, lock_folder
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE
from sparring.experiments.sweeps.dataset_cache import Once, SharedData
from sparring.experiments.sweeps.follower import Follower, NoFollower
from sparring.experiments.sweeps.sweep_folder import DATA, Failure, is_sweep


def find_least(breaks: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number from 1 to `most` for which `breaks` is true, or None; `breaks` must be monotonic.

    Bisection tries about log2(most) numbers.
    """
    if not breaks(most):
        return None
    intact, broken = 0, most
    while broken - intact > 1:
        middle = (intact + broken) // 2
        if breaks(middle):
            broken = middle
        else:
            intact = middle
    return broken


POLICIES = TRAINING
"""The folder of the policies."""
NO_PLAN = AuditPlan(0, 0.0)


@dataclass(frozen=True)
class AuditContext:
    """The request, folder, workers and follower of an audit, and its plan once it is known."""

    request: AuditRequest
    folder: Path
    workers: Workers
    follower: Follower
    plan: AuditPlan = NO_PLAN

    @property
    def shared(self) -> SharedData:
        """The data sets, each loaded once for all stages."""
        return SharedData(self.folder / DATA)

    @property
    def catalogues(self) -> Catalogues:
        """The catalogues of the request, with shared data sets."""
        return replace(self.request.catalogues, loaded=self.shared)

    def begin(self, words: str, stage: str, *, share: float = 1.0) -> None:
        """Announce a stage, or a share of it."""
        self.follower.begin(words, share * self.plan.stages.get(stage, 0.0))


def run_stage(
    context: AuditContext,
    stage: str,
    *,
    attacks: Mapping[str, Section],
    seeds: Sequence[int],
    malicious: int | None = None,
) -> pd.DataFrame:
    """Run each attack with each seed, and return one row per run; failed runs are missing."""
    document = _make_document(context.request, attacks, seeds=seeds, malicious=malicious)
    failures = _run_sweep(context, stage, document)
    for failure in failures:
        if failure.labels[ATTACK] not in context.request.attacks or stage != ATTACKS:
            raise RunError(f"{failure.labels[ATTACK]} failed: {failure.error}")
    return read_frame(context.folder / stage)


def _run_sweep(context: AuditContext, stage: str, document: Section) -> Sequence[Failure]:
    """Execute the missing runs of a sweep in the folder of a stage, and return those that failed."""
    folder, plan = context.folder / stage, plan_sweep(document, context.request.catalogues)
    with context.follower.sweep(folder, context.workers.size, runs=len(plan.runs)) as observer:
        done = sweep(
            plan,
            folder,
            workers=context.workers,
            observer=observer,
            retry_failed=True,
            catalogues=context.catalogues,
        )
    return done.failures


def train_policies_of(context: AuditContext) -> dict[str, TrainedPolicy]:
    """Train the contenders by successive halving, then TD3 from the best, and return all policies by their labels.

    The better half of the contenders is trained further. A longer training replaces a shorter one only if its policy is
    better. What is trained already is not trained again.
    """
    trained: dict[str, TrainedPolicy] = {}
    unit, goal = context.plan.unit, context.request.goal
    for number, (rung, steps) in enumerate(steps_of_rungs(unit, goal.rungs), start=1):
        ranked = sorted(trained, key=lambda name: -trained[name].harm) or list(goal.contenders)
        jobs = [_make_job(context, name, steps=steps) for name in ranked[: rung.survivors]]
        if rung.is_last:
            start = trained[ranked[0]].policy
            jobs.append(_make_job(context, TD3, steps=rung.units * unit, start=start))
        names = ", ".join(job.task.name for job in jobs)
        words = f"training, {number} of {len(goal.rungs)}: {names}, {rung.units * unit} steps each"
        context.begin(words, TRAINING, share=_share_of_training(rung, context.workers.size, goal))
        _train(context, jobs, steps=rung.units * unit)
        for job in jobs:
            newest = read_trained(job.record)
            known = trained.get(job.task.name, newest)
            trained[job.task.name] = max(known, newest, key=lambda policy: policy.harm)
    return {f"learned {name}": policy for name, policy in trained.items()}


def _share_of_training(rung: Rung, workers: int, goal: Goal) -> float:
    """Return the share of a rung in the time for training."""
    return -(-rung.jobs // workers) * rung.units / units_in_sequence(workers, goal.rungs)


def _train(context: AuditContext, jobs: Sequence[TrainingJob], *, steps: int) -> None:
    """Train those policies in parallel that are not trained yet, each by `steps` further steps."""
    due = {job.task.name: job for job in jobs if not is_trained(job)}
    if not due:
        return
    folder = context.folder / POLICIES

    def made() -> list[int]:
        return [count_progress(job, steps) for job in jobs]

    total = sum(steps + steps_to_compare(job.task) for job in jobs)
    following = context.follower.training(folder, made, total=total)
    train_policies(context.workers, train_in_worker, jobs=due, folder=folder, following=following)


def learned_section(policy: TrainedPolicy, goal: Goal = UNTARGETED) -> Section:
    """Return the section of the learned attack that uses a policy."""
    return {"name": "coordinated" if goal is TEAM else "learned", "policy": str(policy.policy)}


def _make_job(context: AuditContext, name: str, *, steps: int, start: Path | None = None) -> TrainingJob:
    plugins = tuple(plugin.module for plugin in context.request.catalogues.plugins)
    seed = context.request.training_seed
    config = context.request.run(context.request.honest, seed)
    task = TrainingTask(name, config.federation.rounds, steps, seed, start, context.request.goal.name)
    return TrainingJob(context.folder / POLICIES / name, config, task, plugins, context.shared.folder)


def _make_document(
    request: AuditRequest, attacks: Mapping[str, Section], *, seeds: Sequence[int], malicious: int | None
) -> dict[str, Any]:
    """Return the sweep that runs attacks against the rule."""
    bundles = {
        # A backdoor is measured without an attack, too: by malicious clients that train honestly.
        label: {"attack": HONEST if section == HONEST else request.attacked(section, malicious)}
        for label, section in attacks.items()
    }
    return {"base": request.base, "axes": {"attack": bundles, "seed": list(seeds)}}


VERDICT, REPORT = "verdict.json", "report.html"
HERE, NOBODY = InlineWorkers(), NoFollower()


def plan_or_refuse(
    request: AuditRequest, folder: str | Path, *, workers: Workers = HERE, follower: Follower = NOBODY
) -> AuditPlan:
    """Return the plan of an audit, recorded or measured, and write nothing; a budget that is too small is rejected."""
    context = AuditContext(request, Path(folder), workers, follower)
    _admit(context.folder)
    return _read_or_measure_plan(context, Once())


def audit(
    request: AuditRequest,
    folder: str | Path,
    *,
    workers: Workers = HERE,
    follower: Follower = NOBODY,
    gap: float = SMALLEST_GAP,
    plan: AuditPlan | None = None,
) -> Audit:
    """Audit a rule in a folder, or resume the same audit there with the same verdict.

    `gap` is the smallest difference between attacks that counts; it affects the verdict, but not the runs. `plan` is
    what `plan_or_refuse` returned, if it was called before.
    """
    context, loaded = AuditContext(request, Path(folder), workers, follower), Once()
    _admit(context.folder)
    effort = _read_or_measure_plan(context, loaded) if plan is None else plan
    with lock_folder(context.folder), _keep_data(context):
        write_plan(context.folder, request, effort=effort)
        loaded.hand_to(context.shared)
        context = replace(context, plan=effort)
        with follower.whole(effort.seconds) if effort.stages else nullcontext():
            policies = train_policies_of(context)
            done = Audit(context.folder, effort, _reach_verdict(context, policies, gap=gap), policies)
        write_json(context.folder / VERDICT, verdict_to_json(done.verdict))
        study = read_study(context.folder / ATTACKS, gap=gap)
        write(context.folder / REPORT, audit_page(study, done, request=request).encode())
        return done


def _admit(folder: Path) -> None:
    """Reject a folder that holds something else or is not writable."""
    if not (folder / NAME).exists():
        refuse_other_files(folder, {LOCK, NAME + PARTIAL}, what="holds no audit; choose another folder")
    admit_writing(folder)


@contextmanager
def _keep_data(context: AuditContext) -> Iterator[None]:
    """Keep the data sets in a folder while the audit runs."""
    rmtree(context.shared.folder, ignore_errors=True)
    try:
        yield
    finally:
        rmtree(context.shared.folder, ignore_errors=True)


def _read_or_measure_plan(context: AuditContext, loaded: Once) -> AuditPlan:
    """Return the recorded plan of the audit, or measure a new one."""
    effort = read_plan(context.folder, context.request)
    if effort is None:
        context.follower.begin("measuring how long the runs take")
        request = replace(context.request, catalogues=replace(context.request.catalogues, loaded=loaded))
        honest = request.run(request.honest, request.seed)

        def measure(estimate: float) -> Overheads:
            return measure_overheads(context.workers, honest, request.catalogues, estimate=estimate)

        effort = measure_plan(request, context.workers.size, measure)
    return effort


def _reach_verdict(context: AuditContext, policies: Mapping[str, TrainedPolicy], *, gap: float) -> AuditVerdict:
    """Run all attacks with fresh seeds, run the reference rules, and find the clients that break the rule."""
    request, chosen = context.request, max(policies, key=lambda label: policies[label].harm)
    words = f"running {len(request.attacks)} hand-crafted attacks, the learned attacks, and no attack"
    context.begin(words, ATTACKS)
    attacks = {NO_ATTACK: request.honest, **request.attacks, **_learned_sections(policies, request.goal)}
    runs = run_stage(context, ATTACKS, attacks=attacks, seeds=request.fresh)
    crafted = find_worst(runs, request.attacks, goal=request.goal)
    clean = remaining_accuracy(runs, NO_ATTACK).summary.mean
    _run_references(context, {label: attacks[label] for label in (NO_ATTACK, crafted.attack, chosen)})
    breaking = _find_breaking(context, crafted.attack, learned=attacks[chosen], clean=clean)
    verdict = judge(runs, crafted, learned=chosen, breaking=breaking, gap=gap, goal=request.goal)
    return verdict._replace(references=read_references(context.folder, runs, verdict, rule=request.defense))


def _run_references(context: AuditContext, attacks: Mapping[str, Section]) -> None:
    """Run the reference rules under some attacks; runs that fail are missing."""
    request, rules = context.request, reference_rules(context.request)
    context.begin(f"running the reference rules {', '.join(rules)}", REFERENCES)
    document = _make_document(request, attacks, seeds=request.fresh[:BREAKING_SEEDS], malicious=None)
    bundles = {name: {DEFENSE: section} for name, section in rules.items()}
    _run_sweep(context, REFERENCES, {**document, "axes": {DEFENSE: bundles, **document["axes"]}})


def read_references(folder: Path, runs: pd.DataFrame, verdict: AuditVerdict, *, rule: str) -> tuple[ReferenceRow, ...]:
    """Return the rows of the reference rules from an audit's folder; earlier versions ran none."""
    if not is_sweep(folder / REFERENCES):
        return ()
    return compare_rules(runs, read_frame(folder / REFERENCES), verdict, rule=rule)


def _find_breaking(context: AuditContext, attack: str, *, learned: Section, clean: float) -> Breaking:
    """Find the smallest number of clients with which an attack breaks the rule, and run the learned one with it."""
    tried: dict[int, float] = {}

    def breaks(malicious: int) -> bool:
        tried[malicious] = _measure_remaining(
            context, attack, section=context.request.attacks[attack], malicious=malicious
        )
        return context.request.goal.breaks(tried[malicious], clean=clean)

    clients = find_least(breaks, max(1, context.request.config.federation.clients // 2))
    at = max(tried) if clients is None else clients
    return Breaking(tried, clients, _measure_remaining(context, "learned", section=learned, malicious=at))


def _measure_remaining(context: AuditContext, label: str, *, section: Section, malicious: int) -> float:
    """Return the mean accuracy, or that of the backdoor, over a few seeds with this number of malicious clients."""
    stage = f"{BREAKING}/{label} {malicious}"
    words = f"breaking the rule: {label} with {malicious} of {context.request.config.federation.clients} clients"
    context.begin(words, BREAKING, share=1 / (1 + count_tries(context.request)))
    runs = run_stage(
        context, stage, attacks={label: section}, seeds=context.request.fresh[:BREAKING_SEEDS], malicious=malicious
    )
    return remaining_accuracy(runs, label, metric=context.request.goal.broken).summary.mean


def _learned_sections(policies: Mapping[str, TrainedPolicy], goal: Goal) -> dict[str, Section]:
    """Return the learned attacks that use policies."""
    return {label: learned_section(policy, goal) for label, policy in policies.items()}
