"""`sparring audit`: what is the worst that an adaptive attacker does to a rule?"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_paragraphs
from sparring.cli.options import AsJson, Gap, Jobs, Plugins, Ray, Words, choose_workers, load_catalogues, read_words
from sparring.cli.progress import ConsoleFollower, show_notice
from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit import Audit, AuditRequest, audit, read_budget, read_request
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.report import audit_page, facts, sentences
from sparring.experiments.audit.result import plain
from sparring.experiments.audit.run_audit import REPORT
from sparring.experiments.config.overrides import set_value
from sparring.experiments.config.plugins import load_class, member_name
from sparring.experiments.config.sections import member
from sparring.experiments.report.study import Study
from sparring.kinds import kind_of
from sparring.training import keep_freed_memory

AUDITS = Path("audits")
"""Where audits go that are given no folder."""


def command(
    words: Words = None,
    *,
    defense: Annotated[
        str | None, typer.Option(metavar="MODULE:CLASS", help="A rule of your own, as in package.module:Class.")
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="About how long all of it may take, as in 90s, 10m or 2h.")
    ] = "10m",
    seeds: Annotated[int, typer.Option(help="Fresh seeds that everything is measured with.")] = 5,
    gap: Gap = SMALLEST_GAP,
    out: Annotated[
        Path | None, typer.Option(help="The audit's folder, which is resumed; by default audits/ and a digest.")
    ] = None,
    jobs: Jobs = None,
    ray: Ray = None,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """Measure the accuracy of a rule under hand-crafted attacks, and under one that learns to attack this very rule.

    attack.malicious and attack.start say how many clients attack, and since when. The same command resumes an audit.

    Example: sparring audit --defense my_rules:Trusting defense.longest=0.5
    """
    keep_freed_memory()
    workers, lasting, document = choose_workers(jobs, ray), read_budget(budget), read_words(words or [])
    modules = plugins or []
    if defense is not None:
        document, modules = set_value(document, "defense.name", value=_named(document, defense)), [*modules, defense]
    request = read_request(document, seeds=seeds, budget=lasting, catalogues=load_catalogues(modules))
    folder = AUDITS / request.digest[:12] if out is None else out
    config = request.config
    played = f"{config.model['name']} on {config.data.member['name']}, {config.federation.rounds} rounds"
    show_notice(f"audit of {request.defense}, {played}, in {folder}")
    done = audit(request, folder, workers=workers, follower=ConsoleFollower(), gap=gap)
    _show(done, request, as_json=as_json)


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


def show_audit(folder: Path, *, gap: float) -> None:
    """Print the verdict."""
    done, asked = read_audit(folder, gap=gap)
    show_facts(facts(done))
    show_paragraphs(sentences(done, asked))


def page_of_audit(folder: Path, study: Study) -> str:
    """Return the page of an audit, whose runs with fresh seeds are a study."""
    done, asked = read_audit(folder, gap=study.gap)
    return audit_page(study, done, request=asked)
