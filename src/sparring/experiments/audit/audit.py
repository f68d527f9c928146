"""An audit of a rule: its accuracy under hand-crafted attacks, and under one that has learned to attack it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from sparring.errors import UnknownFolder
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit.breaking import least
from sparring.experiments.audit.effort import BREAKING_SEEDS, NAME, Effort, keep_effort, kept_effort, measured_effort
from sparring.experiments.audit.outcome import Audit, Trained
from sparring.experiments.audit.page import audit_page
from sparring.experiments.audit.request import NO_ATTACK, Request
from sparring.experiments.audit.stages import (
    BREAKING,
    MEASURED,
    REHEARSED,
    Bench,
    Follower,
    Nobody,
    played,
    playing,
    taught,
)
from sparring.experiments.audit.training import Taught
from sparring.experiments.audit.verdict import Breaking, Verdict, judged, left, plain, worst
from sparring.experiments.config.sections import Section
from sparring.experiments.jobs.atomic_files import PARTIAL, admit_writing, translate_os_errors, write, write_json
from sparring.experiments.jobs.train_policy import UNARMED
from sparring.experiments.jobs.workers import InlineWorkers, Workers
from sparring.experiments.report import read_study
from sparring.experiments.runs.run_folder import LOCK, locked
from sparring.experiments.sweeps.dataset_cache import Once

VERDICT, REPORT = "verdict.json", "report.html"
HERE, NOBODY = InlineWorkers(), Nobody()


def audit(
    request: Request,
    folder: str | Path,
    *,
    workers: Workers = HERE,
    follower: Follower = NOBODY,
    gap: float = SMALLEST_GAP,
) -> Audit:
    """Audit a rule in a folder, or go on with the same audit there, to the same verdict.

    `gap` is the smallest difference between attacks that counts; it changes the verdict and nothing that is played.
    """
    bench, loaded = Bench(request, Path(folder), workers, follower), Once()
    _admit(bench.folder)
    effort = _effort(bench, loaded)
    with locked(bench.folder), _data(bench):
        keep_effort(bench.folder, request, effort=effort)
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
    with translate_os_errors(folder):
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if NAME not in there and not there <= {LOCK, NAME + PARTIAL}:
        raise UnknownFolder(f"{folder} is there and holds no audit; choose another folder")
    admit_writing(folder)


@contextmanager
def _data(bench: Bench) -> Iterator[None]:
    """Keep the data sets in a folder for as long as the audit is played."""
    rmtree(bench.shared.folder, ignore_errors=True)
    try:
        yield
    finally:
        rmtree(bench.shared.folder, ignore_errors=True)


def _effort(bench: Bench, loaded: Once) -> Effort:
    """Return the effort that the audit was begun with, or measure it."""
    effort = kept_effort(bench.folder, bench.request)
    if effort is None:
        bench.follower.begin("measuring how long everything takes")
        request = replace(bench.request, catalogues=replace(bench.request.catalogues, loaded=loaded))
        effort = measured_effort(request, bench.workers.size)
    return effort


def _trained(bench: Bench, effort: Effort) -> dict[str, Trained]:
    """Train policies, and play each with the seeds that one of them is chosen by."""
    policies = taught(bench, effort.policies, steps=effort.steps)
    bench.follower.begin("choosing one of them")
    runs = played(bench, REHEARSED, attacks=_sections(policies), seeds=bench.request.training(effort.policies))
    return {label: Trained(policy, left(runs, label).summary.mean) for label, policy in policies.items()}


def _verdict(bench: Bench, policies: Mapping[str, Trained], *, chosen: str, gap: float) -> Verdict:
    """Play everything with fresh seeds, and count how many clients it takes."""
    request, trained = bench.request, {label: each.policy for label, each in policies.items()}
    bench.follower.begin(f"playing {len(request.attacks)} hand-crafted attacks, the learned ones and none")
    attacks = {NO_ATTACK: UNARMED, **request.attacks, **_sections(trained)}
    runs = played(bench, MEASURED, attacks=attacks, seeds=request.fresh)
    crafted, clean = worst(runs, request.attacks), left(runs, NO_ATTACK).summary.mean
    bench.follower.begin(f"counting how many clients halve the accuracy with {crafted.attack}")
    breaking = _breaking(bench, crafted.attack, learned=playing(trained[chosen]), half=clean / 2)
    return judged(runs, crafted, learned=chosen, breaking=breaking, gap=gap)


def _breaking(bench: Bench, attack: str, *, learned: Section, half: float) -> Breaking:
    """Find the least number of clients with which an attack halves the accuracy, and play the learned one with it."""
    tried: dict[int, float] = {}

    def breaks(malicious: int) -> bool:
        tried[malicious] = _left(bench, attack, section=bench.request.attacks[attack], malicious=malicious)
        return tried[malicious] <= half

    clients = least(breaks, max(1, bench.request.config.federation.clients // 2))
    at = max(tried) if clients is None else clients
    return Breaking(tried, clients, _left(bench, "learned", section=learned, malicious=at))


def _left(bench: Bench, label: str, *, section: Section, malicious: int) -> float:
    """Return what an attack by so many clients leaves of the accuracy, in the mean over a few seeds."""
    stage = f"{BREAKING}/{label} {malicious}"
    bench.follower.begin(f"{label} with {malicious} of {bench.request.config.federation.clients} clients")
    runs = played(
        bench, stage, attacks={label: section}, seeds=bench.request.fresh[:BREAKING_SEEDS], malicious=malicious
    )
    return left(runs, label).summary.mean


def _sections(policies: Mapping[str, Taught]) -> dict[str, Section]:
    """Return the attacks that play policies."""
    return {label: playing(policy) for label, policy in policies.items()}
