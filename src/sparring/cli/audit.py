"""`sparring audit`: how much accuracy does a rule lose under an adaptive attacker?"""

import json
from collections.abc import Mapping, Sequence
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
from sparring.experiments.audit import Audit, AuditPlan, AuditRequest, audit, read_budget, read_request
from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.goal_words import WORDS
from sparring.experiments.audit.goals import BACKDOOR, TEAM, UNTARGETED
from sparring.experiments.audit.joint import AuditPart, describe_joint, joint_page, list_parts, read_joint, write_joint
from sparring.experiments.audit.report import audit_page, describe_audit, describe_references, list_facts
from sparring.experiments.audit.result import AuditVerdict, verdict_to_json
from sparring.experiments.audit.run_audit import REPORT, plan_or_refuse
from sparring.experiments.config.overrides import set_value
from sparring.experiments.config.plugins import load_class, member_name
from sparring.experiments.config.sections import member
from sparring.experiments.jobs.atomic_files import write
from sparring.experiments.jobs.workers import Workers
from sparring.experiments.report.study import Study
from sparring.kinds import kind_of
from sparring.training import keep_freed_memory

GOALS = (UNTARGETED.name, BACKDOOR.name)
"""What --goal names."""
BOTH = "both"
"""The goal that stands for all goals, one after the other."""
AUDITS = Path("audits")
"""The default parent folder of audits."""

Budget = Annotated[str, typer.Option(metavar="TIME", help="Approximate time for the whole audit, such as 90s or 2h.")]
TeamSize = Annotated[
    int | None,
    typer.Option(metavar="N", help="Train a team of N malicious clients that act by rank, in place of one attacker."),
]


def command(
    words: Words = None,
    *,
    defense: Annotated[
        str | None, typer.Option(metavar="MODULE:CLASS", help="Your own rule, as package.module:Class.")
    ] = None,
    budget: Budget = "10m",
    goal: Annotated[
        str,
        typer.Option(
            metavar="GOAL", help="What the attackers want: untargeted, backdoor, or both, each with half of the budget."
        ),
    ] = UNTARGETED.name,
    team: TeamSize = None,
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

    attack.malicious and attack.start set how many clients attack, and from which round on; for a backdoor,
    attack.trigger, attack.target and attack.source set what is implanted. The same command resumes an interrupted
    audit.

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
    catalogues, goals = load_catalogues(modules), _list_goals(goal)
    if team is not None:
        document, goals = _field_team(document, team, goal=goal), (TEAM.name,)
    requests = [
        read_request(document, seeds=seeds, budget=lasting / len(goals), catalogues=catalogues, goal=each)
        for each in goals
    ]
    _run(requests, out, workers=workers, gap=gap, as_json=as_json)


def _run(requests: Sequence[AuditRequest], out: Path | None, *, workers: Workers, gap: float, as_json: bool) -> None:
    """Run audits one after the other, and print their verdicts."""
    printed: dict[str, Any] = {}
    folders = [_choose_folder(out, requests, request) for request in requests]
    plans = _plan_all(requests, folders, workers)
    parts = []
    for request, folder, plan in zip(requests, folders, plans, strict=True):
        config = request.config
        played = f"{config.model['name']} on {config.data.member['name']}, {config.federation.rounds} rounds"
        wanted = {UNTARGETED.name: "", TEAM.name: f" by a team of {request.malicious}"}.get(
            request.goal.name, f" with the goal {request.goal.name}"
        )
        show_notice(f"audit of {request.defense}{wanted}, {played}, in {folder}")
        done = audit(request, folder, workers=workers, follower=ConsoleFollower(), gap=gap, plan=plan)
        parts.append(AuditPart(done, request))
        printed[request.goal.name] = _to_json(done, request)
        if not as_json:
            _show(done, request)
    if len(parts) > 1:
        page = write_joint(folders[0].parent, parts)
        printed["report"] = str(page)
        if not as_json:
            _show_joint(parts, page)
    if as_json:
        typer.echo(json.dumps(printed if len(requests) > 1 else next(iter(printed.values())), allow_nan=False))


def _plan_all(
    requests: Sequence[AuditRequest], folders: Sequence[Path], workers: Workers
) -> Sequence[AuditPlan | None]:
    """Return the plans of several audits, so that a budget that is too small for one is rejected before any begins."""
    if len(requests) == 1:
        return [None]
    pairs = zip(requests, folders, strict=True)
    try:
        return [
            plan_or_refuse(request, folder, workers=workers, follower=ConsoleFollower()) for request, folder in pairs
        ]
    except ConfigError as error:
        raise ConfigError(f"{len(requests)} goals share the budget equally; for one of them, {error}") from None


def _show_joint(parts: Sequence[AuditPart], page: Path) -> None:
    """Print the joint verdict of several audits."""
    typer.echo()
    show_facts({"report": str(page)})
    show_paragraphs(describe_joint(parts))


def _list_goals(goal: str) -> tuple[str, ...]:
    if goal not in (*GOALS, BOTH):
        raise ConfigError(f"goal is {goal!r}; it must be one of: {', '.join((*GOALS, BOTH))}")
    return GOALS if goal == BOTH else (goal,)


def _field_team(document: Mapping[str, Any], team: int, *, goal: str) -> dict[str, Any]:
    """Return the configuration in which a team attacks, of this many malicious clients."""
    given = member(document, "attack").get("malicious", team)
    if given != team:
        raise ConfigError(f"--team is {team}, and attack.malicious is {given!r}; choose one")
    if goal != UNTARGETED.name:
        raise ConfigError(f"--team is given, and --goal is {goal}; a team's goal is {UNTARGETED.name}")
    return set_value(document, "attack.malicious", value=team)


def _choose_folder(out: Path | None, requests: Sequence[AuditRequest], request: AuditRequest) -> Path:
    """Return the folder of an audit: the given one or one by the digest, with a folder in it for each of two goals."""
    folder = AUDITS / requests[0].digest[:12] if out is None else out
    return folder / request.goal.name if len(requests) > 1 else folder


def _name_rule(document: Mapping[str, Any], defense: str) -> str:
    """Return the catalogue name of a rule's class."""
    name = member(document, "defense").get("name")
    if name is not None:
        raise ConfigError(f"defense.name is {name!r}, and --defense is given; choose one")
    cls = load_class(defense)
    if kind_of(cls) != "defenses":
        raise ConfigError(f"--defense is {defense!r}, which is one of {kind_of(cls)}; give an aggregation rule")
    return member_name(cls)


def _list_paths(done: Audit) -> dict[str, str]:
    report, policy = done.folder / REPORT, done.policies[done.verdict.learned.attack].policy
    return {"audit": str(done.folder), "report": str(report), "policy": str(policy)}


def _to_json(done: Audit, request: AuditRequest) -> dict[str, Any]:
    """Return the verdict as a JSON object."""
    verdict = {"defense": request.defense, **verdict_to_json(done.verdict)}
    return {**verdict, "effort": asdict(done.effort), **_list_paths(done)}


def _show(done: Audit, request: AuditRequest) -> None:
    """Print the verdict in a few lines."""
    paths = _list_paths(done)
    show_facts({**list_facts(done), **{name: paths[name] for name in ("report", "policy")}})
    show_paragraphs(describe_audit(done, request))
    _show_tables(done.verdict)


def _show_tables(verdict: AuditVerdict) -> None:
    """Print the attacks, worst first, and the reference rules."""
    typer.echo()
    metric = WORDS[verdict.goal].metric
    ranked = {cell.attack: cell.summary for cell in verdict.ranking}
    show_ranking(f"attacks, worst first: {metric}", ranked, corner="attack")
    if verdict.references:
        columns = ("clean", "crafted", "learned")
        rows = {row.rule: dict(zip(columns, row[1:], strict=True)) for row in verdict.references}
        show_summaries(f"reference rules: {metric}", rows, corner="rule")
        show_paragraphs([describe_references(verdict)])


def show_audit(folder: Path, *, gap: float) -> None:
    """Print the verdict of a finished audit."""
    done, asked = read_audit(folder, gap=gap)
    show_facts(list_facts(done))
    show_paragraphs(describe_audit(done, asked))
    _show_tables(done.verdict)


def show_joint(folder: Path, *, gap: float, html: Path | None) -> None:
    """Print the joint verdict of the audits in a folder, then each of them, and write their page if it is asked for."""
    parts = read_joint(folder, gap=gap)
    show_paragraphs(describe_joint(parts))
    for part in list_parts(folder):
        typer.echo(f"\n{part}")
        show_audit(part, gap=gap)
    if html is not None:
        write(html, joint_page(parts).encode())
        typer.echo(f"written: {html}")


def render_audit(folder: Path, study: Study) -> str:
    """Return the page of a finished audit; `study` holds its runs with fresh seeds."""
    done, asked = read_audit(folder, gap=study.gap)
    return audit_page(study, done, request=asked)
