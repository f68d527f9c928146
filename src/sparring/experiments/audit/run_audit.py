"""An audit of a rule: hand-crafted attacks, and one that learns to attack it; each stage resumes where it stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.frames import frame
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.budget import BREAKING_SEEDS, NAME, AuditPlan, measure_plan, read_plan, write_plan
from sparring.experiments.audit.report import audit_page
from sparring.experiments.audit.request import NO_ATTACK, AuditRequest
from sparring.experiments.audit.result import (
    Audit,
    AuditedPolicy,
    Breaking,
    Verdict,
    judge,
    plain,
    remaining_accuracy,
    worst,
)
from sparring.experiments.audit.training import (
    ACTINGS,
    POLICY,
    TrainedPolicy,
    TrainingBudget,
    TrainingTask,
    is_trained,
    returns_of,
    steps_made,
    train_for,
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
from sparring.experiments.jobs.train_policy import UNARMED, train_policies
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.report import read_study
from sparring.experiments.runs.run_folder import LOCK, locked
from sparring.experiments.sweeps import plan_sweep, sweep
from sparring.experiments.sweeps.dataset_cache import Once, SharedData
from sparring.experiments.sweeps.follower import Follower, NoFollower
from sparring.experiments.sweeps.sweep_folder import DATA


def least(breaks: Callable[[int], bool], most: int) -> int | None:
    """Return the least number from 1 to `most` that breaks, if more break whatever fewer do; None if not even `most`.

    About log2(most) numbers are tried.
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


MEASURED, REHEARSED, BREAKING, POLICIES = "attacks", "rehearsals", "breaking", "policies"
"""The folders of the stages."""


@dataclass(frozen=True)
class AuditContext:
    """What is audited, where, by whom, and who follows."""

    request: AuditRequest
    folder: Path
    workers: Workers
    follower: Follower

    @property
    def shared(self) -> SharedData:
        """The data sets, each of which is loaded once for all stages."""
        return SharedData(self.folder / DATA)

    @property
    def catalogues(self) -> Catalogues:
        """What the request names something from."""
        return replace(self.request.catalogues, loaded=self.shared)


def played(
    bench: AuditContext,
    stage: str,
    *,
    attacks: Mapping[str, Section],
    seeds: Sequence[int],
    malicious: int | None = None,
) -> pd.DataFrame:
    """Play attacks, by their labels, with each seed, and return a row a run; what fails is missing."""
    request, folder = bench.request, bench.folder / stage
    plan = plan_sweep(_document(request, attacks, seeds=seeds, malicious=malicious), request.catalogues)
    with bench.follower.sweep(folder, bench.workers.size) as observer:
        stands = sweep(
            plan,
            folder,
            workers=bench.workers,
            observer=observer,
            retry_failed=True,
            catalogues=bench.catalogues,
        )
    for failure in stands.failures:
        if failure.labels["attack"] not in request.attacks or stage != MEASURED:
            raise RunError(f"{failure.labels['attack']} failed: {failure.error}")
    return frame(folder)


def taught(bench: AuditContext, policies: int, *, steps: int) -> dict[str, TrainedPolicy]:
    """Train the policies that are not trained yet, and return all of them by their labels."""
    courses = _courses(bench, policies, steps=steps)
    due = [label for label, course in courses.items() if not is_trained(course)]
    if due:
        bench.follower.begin(f"training {policies} policies of {steps} steps each against {bench.request.defense}")
        _teach(bench, courses, due=due)
    return {
        label: TrainedPolicy(course.folder / POLICY, returns_of(course.folder)) for label, course in courses.items()
    }


def _teach(bench: AuditContext, courses: Mapping[str, TrainingBudget], *, due: Sequence[str]) -> None:
    """Train some of the policies."""
    folder, steps = bench.folder / POLICIES, courses[due[0]].lesson.steps
    folders = [course.folder for course in courses.values()]
    following = bench.follower.training(
        folder, lambda: [min(steps, steps_made(each)) for each in folders], total=steps * len(folders)
    )
    lessons = {label: courses[label] for label in due}
    train_policies(bench.workers, train_for, lessons=lessons, folder=folder, following=following)


def playing(policy: TrainedPolicy) -> Section:
    """Return the section of the attack that plays a policy."""
    return {"name": "learned", "policy": str(policy.policy)}


def _courses(bench: AuditContext, policies: int, *, steps: int) -> dict[str, TrainingBudget]:
    seeds = bench.request.training(policies)
    return {f"learned {place + 1}": _course(bench, place, steps=steps, seed=seed) for place, seed in enumerate(seeds)}


def _course(bench: AuditContext, place: int, *, steps: int, seed: int) -> TrainingBudget:
    plugins = tuple(plugin.module for plugin in bench.request.catalogues.plugins)
    config = bench.request.run(UNARMED, seed)
    lesson = TrainingTask(ACTINGS[place % len(ACTINGS)], config.federation.rounds, steps, seed)
    return TrainingBudget(bench.folder / POLICIES / str(place + 1), config, lesson, plugins, bench.shared.folder)


def _document(
    request: AuditRequest, attacks: Mapping[str, Section], *, seeds: Sequence[int], malicious: int | None
) -> dict[str, Any]:
    """Return the sweep in which attacks are played against the rule."""
    bundles = {
        label: {"attack": UNARMED if label == NO_ATTACK else request.attacked(section, malicious)}
        for label, section in attacks.items()
    }
    return {"base": request.base, "axes": {"attack": bundles, "seed": list(seeds)}}


VERDICT, REPORT = "verdict.json", "report.html"
HERE, NOBODY = InlineWorkers(), NoFollower()


def audit(
    request: AuditRequest,
    folder: str | Path,
    *,
    workers: Workers = HERE,
    follower: Follower = NOBODY,
    gap: float = SMALLEST_GAP,
) -> Audit:
    """Audit a rule in a folder, or go on with the same audit there, to the same verdict.

    `gap` is the smallest difference between attacks that counts; it changes the verdict and nothing that is played.
    """
    bench, loaded = AuditContext(request, Path(folder), workers, follower), Once()
    _admit(bench.folder)
    effort = _effort(bench, loaded)
    with locked(bench.folder), _data(bench):
        write_plan(bench.folder, request, effort=effort)
        loaded.hand_to(bench.shared)
        policies = _trained(bench, effort)
        chosen = min(policies, key=lambda label: policies[label].rehearsed)
        done = Audit(bench.folder, effort, _verdict(bench, policies, chosen=chosen, gap=gap), policies)
        write_json(bench.folder / VERDICT, plain(done.verdict))
        study = read_study(bench.folder / MEASURED, gap=gap)
        write(bench.folder / REPORT, audit_page(study, done, request=request).encode())
        return done


def _admit(folder: Path) -> None:
    """Refuse a folder that holds something else, or cannot be written to."""
    if not (folder / NAME).exists():
        refuse_other_files(folder, {LOCK, NAME + PARTIAL}, what="holds no audit; choose another folder")
    admit_writing(folder)


@contextmanager
def _data(bench: AuditContext) -> Iterator[None]:
    """Keep the data sets in a folder for as long as the audit is played."""
    rmtree(bench.shared.folder, ignore_errors=True)
    try:
        yield
    finally:
        rmtree(bench.shared.folder, ignore_errors=True)


def _effort(bench: AuditContext, loaded: Once) -> AuditPlan:
    """Return the effort that the audit was begun with, or measure it."""
    effort = read_plan(bench.folder, bench.request)
    if effort is None:
        bench.follower.begin("measuring how long everything takes")
        request = replace(bench.request, catalogues=replace(bench.request.catalogues, loaded=loaded))
        effort = measure_plan(request, bench.workers.size)
    return effort


def _trained(bench: AuditContext, effort: AuditPlan) -> dict[str, AuditedPolicy]:
    """Train policies, and play each with the seeds that one of them is chosen by."""
    policies = taught(bench, effort.policies, steps=effort.steps)
    bench.follower.begin("choosing one of them")
    runs = played(bench, REHEARSED, attacks=_sections(policies), seeds=bench.request.training(effort.policies))
    return {
        label: AuditedPolicy(policy, remaining_accuracy(runs, label).summary.mean) for label, policy in policies.items()
    }


def _verdict(bench: AuditContext, policies: Mapping[str, AuditedPolicy], *, chosen: str, gap: float) -> Verdict:
    """Play everything with fresh seeds, and count how many clients it takes."""
    request, trained = bench.request, {label: each.policy for label, each in policies.items()}
    bench.follower.begin(f"playing {len(request.attacks)} hand-crafted attacks, the learned ones and none")
    attacks = {NO_ATTACK: UNARMED, **request.attacks, **_sections(trained)}
    runs = played(bench, MEASURED, attacks=attacks, seeds=request.fresh)
    crafted, clean = worst(runs, request.attacks), remaining_accuracy(runs, NO_ATTACK).summary.mean
    bench.follower.begin(f"counting how many clients halve the accuracy with {crafted.attack}")
    breaking = _breaking(bench, crafted.attack, learned=playing(trained[chosen]), half=clean / 2)
    return judge(runs, crafted, learned=chosen, breaking=breaking, gap=gap)


def _breaking(bench: AuditContext, attack: str, *, learned: Section, half: float) -> Breaking:
    """Find the least number of clients with which an attack halves the accuracy, and play the learned one with it."""
    tried: dict[int, float] = {}

    def breaks(malicious: int) -> bool:
        tried[malicious] = _left(bench, attack, section=bench.request.attacks[attack], malicious=malicious)
        return tried[malicious] <= half

    clients = least(breaks, max(1, bench.request.config.federation.clients // 2))
    at = max(tried) if clients is None else clients
    return Breaking(tried, clients, _left(bench, "learned", section=learned, malicious=at))


def _left(bench: AuditContext, label: str, *, section: Section, malicious: int) -> float:
    """Return what an attack by so many clients leaves of the accuracy, in the mean over a few seeds."""
    stage = f"{BREAKING}/{label} {malicious}"
    bench.follower.begin(f"{label} with {malicious} of {bench.request.config.federation.clients} clients")
    runs = played(
        bench, stage, attacks={label: section}, seeds=bench.request.fresh[:BREAKING_SEEDS], malicious=malicious
    )
    return remaining_accuracy(runs, label).summary.mean


def _sections(policies: Mapping[str, TrainedPolicy]) -> dict[str, Section]:
    """Return the attacks that play policies."""
    return {label: playing(policy) for label, policy in policies.items()}
