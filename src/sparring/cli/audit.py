"""`sparring audit`: what is the worst that an adaptive attacker does to a rule?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_paragraphs
from sparring.cli.following_audit import Watcher
from sparring.cli.gathering import gathered
from sparring.cli.options import AsJson, Gap, Plugins, Words, WorkerOptions, load_catalogues, read_words
from sparring.cli.progress import show_notice
from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit import Audit, AuditRequest, audit, read_budget, read_request
from sparring.experiments.audit.report import facts, sentences
from sparring.experiments.audit.result import plain
from sparring.experiments.audit.run_audit import REPORT
from sparring.experiments.config.overrides import set_value
from sparring.experiments.config.plugins import load_class, member_name
from sparring.experiments.config.sections import member
from sparring.kinds import kind_of
from sparring.training import keep_freed_memory

AUDITS = Path("audits")
"""Where audits go that are given no folder."""


@dataclass(frozen=True)
class Task:
    """What is audited, and how thoroughly."""

    defense: Annotated[
        str | None, typer.Option(metavar="MODULE:CLASS", help="A rule of your own, as in package.module:Class.")
    ] = None
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="About how long all of it may take, as in 90s, 10m or 2h.")
    ] = "10m"
    seeds: Annotated[int, typer.Option(help="Fresh seeds that everything is measured with.")] = 5
    gap: Gap = SMALLEST_GAP


@gathered
def command(
    words: Words = None,
    *,
    task: Task,
    out: Annotated[
        Path | None, typer.Option(help="The audit's folder, which is gone on with; by default audits/ and a digest.")
    ] = None,
    crew: WorkerOptions,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """Measure the accuracy of a rule under hand-crafted attacks, and under one that learns to attack this very rule.

    attack.malicious and attack.start say how many clients attack, and since when. The same command goes on.

    Example: sparring audit --defense my_rules:Trusting defense.longest=0.5
    """
    keep_freed_memory()
    workers, request = crew.workers(), _request(words or [], task, plugins=plugins or [])
    folder = AUDITS / request.digest[:12] if out is None else out
    config = request.config
    played = f"{config.model['name']} on {config.data.member['name']}, {config.federation.rounds} rounds"
    show_notice(f"audit of {request.defense}, {played}, in {folder}")
    done = audit(request, folder, workers=workers, follower=Watcher(), gap=task.gap)
    _show(done, request, as_json=as_json)


def _request(words: Sequence[str], task: Task, *, plugins: Sequence[str]) -> AuditRequest:
    """Return what is asked for; a rule that is named by its class takes the place of `defense.name`."""
    budget, document = read_budget(task.budget), read_words(words)
    if task.defense is not None:
        document = set_value(document, "defense.name", value=_named(document, task.defense))
        plugins = [*plugins, task.defense]
    return read_request(document, seeds=task.seeds, budget=budget, catalogues=load_catalogues(plugins))


def _named(document: Mapping[str, Any], defense: str) -> str:
    """Return what the rule of a class is called."""
    name = member(document, "defense").get("name")
    if name is not None:
        raise ConfigError(f"defense.name is {name!r}, and --defense is given; choose one")
    cls = load_class(defense)
    if kind_of(cls) != "defenses":
        raise ConfigError(f"--defense is {defense!r}, which is one of {kind_of(cls)}; give an aggregation rule")
    return member_name(cls)


def _show(done: Audit, request: AuditRequest, *, as_json: bool) -> None:
    """Print the verdict: one JSON object, or a few lines."""
    report, policy = done.folder / REPORT, done.policies[done.verdict.learned.attack].policy.policy
    paths = {"audit": str(done.folder), "report": str(report), "policy": str(policy)}
    if as_json:
        printed = {"defense": request.defense, **plain(done.verdict), "effort": asdict(done.effort), **paths}
        typer.echo(json.dumps(printed, allow_nan=False))
        return
    show_facts({**facts(done), **{name: paths[name] for name in ("report", "policy")}})
    show_paragraphs(sentences(done, request))
