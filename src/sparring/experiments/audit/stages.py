"""The stages of an audit: sweeps of runs, and the training between them, each gone on with from where it is."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from sparring.errors import RunError
from sparring.experiments.analysis.frames import frame
from sparring.experiments.audit.request import NO_ATTACK, Request
from sparring.experiments.audit.training import (
    ACTINGS,
    POLICY,
    Course,
    Lesson,
    Taught,
    is_taught,
    returns_of,
    take_course,
)
from sparring.experiments.config.catalogues import Catalogues
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.train_policy import UNARMED, train_policies
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.sweeps import SweepObserver, plan_sweep, sweep
from sparring.experiments.sweeps.dataset_cache import SharedData
from sparring.experiments.sweeps.sweep_folder import DATA

MEASURED, REHEARSED, BREAKING, POLICIES = "attacks", "rehearsals", "breaking", "policies"
"""The folders of the stages."""


class Follower(Protocol):
    """Follows an audit from outside."""

    def begin(self, stage: str) -> None:
        """Be told what comes next."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        """Follow a sweep that is played `size` runs at a time, and let it be stopped."""

    def training(self, folders: Sequence[Path], steps: int) -> AbstractContextManager[None]:
        """Follow the training of policies, and stop it by a file `.stop` beside their folders."""


class Nobody:
    """Follows nothing."""

    def begin(self, stage: str) -> None:
        """Let it begin."""

    def sweep(self, folder: Path, size: int) -> AbstractContextManager[SweepObserver]:
        return nullcontext(SweepObserver())

    def training(self, folders: Sequence[Path], steps: int) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass(frozen=True)
class Bench:
    """What is audited, where, by whom, and who follows."""

    request: Request
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
    bench: Bench, stage: str, *, attacks: Mapping[str, Section], seeds: Sequence[int], malicious: int | None = None
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


def taught(bench: Bench, policies: int, *, steps: int) -> dict[str, Taught]:
    """Train the policies that are not trained yet, and return all of them by their labels."""
    courses = _courses(bench, policies, steps=steps)
    due = [label for label, course in courses.items() if not is_taught(course)]
    if due:
        bench.follower.begin(f"training {policies} policies of {steps} steps each against {bench.request.defense}")
        _teach(bench, courses, due=due)
    return {label: Taught(course.folder / POLICY, returns_of(course.folder)) for label, course in courses.items()}


def _teach(bench: Bench, courses: Mapping[str, Course], *, due: Sequence[str]) -> None:
    """Train some of the policies."""
    folder, steps = bench.folder / POLICIES, courses[due[0]].lesson.steps
    following = bench.follower.training([course.folder for course in courses.values()], steps)
    lessons = {label: courses[label] for label in due}
    train_policies(bench.workers, take_course, lessons=lessons, folder=folder, following=following)


def playing(policy: Taught) -> Section:
    """Return the section of the attack that plays a policy."""
    return {"name": "learned", "policy": str(policy.policy)}


def _courses(bench: Bench, policies: int, *, steps: int) -> dict[str, Course]:
    seeds = bench.request.training(policies)
    return {f"learned {place + 1}": _course(bench, place, steps=steps, seed=seed) for place, seed in enumerate(seeds)}


def _course(bench: Bench, place: int, *, steps: int, seed: int) -> Course:
    plugins = tuple(plugin.module for plugin in bench.request.catalogues.plugins)
    config = bench.request.run(UNARMED, seed)
    lesson = Lesson(ACTINGS[place % len(ACTINGS)], config.federation.rounds, steps, seed)
    return Course(bench.folder / POLICIES / str(place + 1), config, lesson, plugins, bench.shared.folder)


def _document(
    request: Request, attacks: Mapping[str, Section], *, seeds: Sequence[int], malicious: int | None
) -> dict[str, Any]:
    """Return the sweep in which attacks are played against the rule."""
    bundles = {
        label: {"attack": UNARMED if label == NO_ATTACK else request.attacked(section, malicious)}
        for label, section in attacks.items()
    }
    return {"base": request.base, "axes": {"attack": bundles, "seed": list(seeds)}}
