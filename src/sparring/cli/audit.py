"""`sparring audit`: how much accuracy does a rule lose under an adaptive attacker?"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_paragraphs
from sparring.cli.options import AsJson, Gap, Jobs, Plugins, Ray, Words, choose_workers, load_catalogues, read_words
from sparring.cli.progress import show_notice
from sparring.cli.stages import ConsoleFollower
from sparring.cli.tables import show_ranking, show_summaries
from sparring.errors import ConfigError
from sparring.experiments.analysis.statistics import SMALLEST_GAP
from sparring.experiments.audit import Audit, AuditRequest, audit, read_budget, read_request
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.report import audit_page, describe_audit, describe_references, list_facts
from sparring.experiments.audit.result import AuditVerdict, verdict_to_json
from sparring.experiments.audit.run_audit import REPORT
from sparring.experiments.config.overrides import set_value
from sparring.experiments.config.plugins import load_class, member_name
from sparring.experiments.config.sections import member
from sparring.experiments.report.study import Study
from sparring.kinds import kind_of
from sparring.training import keep_freed_memory

AUDITS = Path("audits")
"""The default parent folder of audits."""


def command(
    words: Words = None,
    *,
    defense: Annotated[
        str | None, typer.Option(metavar="MODULE:CLASS", help="Your own rule, as package.module:Class.")
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Approximate time for the whole audit, such as 90s, 10m or 2h.")
    ] = "10m",
    seeds: Annotated[int, typer.Option(help="Number of fresh seeds for every measurement.")] = 5,
    gap: Gap = SMALLEST_GAP,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the audit; an interrupted audit there resumes. Default: audits/DIGEST."),
    ] = None,
    jobs: Jobs = None,
    ray: Ray = None,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """Measure the accuracy of a rule under all hand-crafted attacks and under an attack trained against this rule.

    attack.malicious and attack.start set how many clients attack, and from which round on. The same command resumes an
    interrupted audit.

    Example: sparring audit --defense my_rules:Trusting defense.longest=0.5
    """
    keep_freed_memory()
    workers, lasting, document = choose_workers(jobs, ray), read_budget(budget), read_words(words or [])
    modules = plugins or []
    if defense is not None:
        document, modules = (
            set_value(document, "defense.name", value=_name_rule(document, defense)),
            [*modules, defense],
        )
    request = read_request(document, seeds=seeds, budget=lasting, catalogues=load_catalogues(modules))
    folder = AUDITS / request.digest[:12] if out is None else out
    config = request.config
    played = f"{config.model['name']} on {config.data.member['name']}, {config.federation.rounds} rounds"
    show_notice(f"audit of {request.defense}, {played}, in {folder}")
    done = audit(request, folder, workers=workers, follower=ConsoleFollower(), gap=gap)
    _show(done, request, as_json=as_json)


def _name_rule(document: Mapping[str, Any], defense: str) -> str:
    """Return the catalogue name of a rule's class."""
    name = member(document, "defense").get("name")
    if name is not None:
        raise ConfigError(f"defense.name is {name!r}, and --defense is given; choose one")
    cls = load_class(defense)
    if kind_of(cls) != "defenses":
        raise ConfigError(f"--defense is {defense!r}, which is one of {kind_of(cls)}; give an aggregation rule")
    return member_name(cls)


def _show(done: Audit, request: AuditRequest, *, as_json: bool) -> None:
    """Print the verdict as one JSON object or as a few lines."""
    report, policy = done.folder / REPORT, done.policies[done.verdict.learned.attack].policy
    paths = {"audit": str(done.folder), "report": str(report), "policy": str(policy)}
    if as_json:
        printed = {"defense": request.defense, **verdict_to_json(done.verdict), "effort": asdict(done.effort), **paths}
        typer.echo(json.dumps(printed, allow_nan=False))
        return
    show_facts({**list_facts(done), **{name: paths[name] for name in ("report", "policy")}})
    show_paragraphs(describe_audit(done, request))
    _show_tables(done.verdict)


def _show_tables(verdict: AuditVerdict) -> None:
    """Print the attacks, worst first, and the reference rules."""
    typer.echo()
    ranked = {cell.attack: cell.summary for cell in verdict.ranking}
    show_ranking("attacks, worst first: accuracy", ranked, corner="attack")
    if verdict.references:
        columns = ("clean", "crafted", "learned")
        rows = {row.rule: dict(zip(columns, row[1:], strict=True)) for row in verdict.references}
        show_summaries("reference rules: accuracy", rows, corner="rule")
        show_paragraphs([describe_references(verdict)])


def show_audit(folder: Path, *, gap: float) -> None:
    """Print the verdict of a finished audit."""
    done, asked = read_audit(folder, gap=gap)
    show_facts(list_facts(done))
    show_paragraphs(describe_audit(done, asked))
    _show_tables(done.verdict)


def render_audit(folder: Path, study: Study) -> str:
    """Return the page of a finished audit; `study` holds its runs with fresh seeds."""
    done, asked = read_audit(folder, gap=study.gap)
    return audit_page(study, done, request=asked)
