"""`sparring harden`: learn a defense against a domain of attacks, for a federation of one's own."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_paragraphs
from sparring.cli.options import AsJson, Jobs, Plugins, Words, choose_workers, load_catalogues, read_words
from sparring.cli.progress import show_notice
from sparring.cli.stages import ConsoleFollower
from sparring.cli.tables import show_ranking
from sparring.errors import ConfigError
from sparring.experiments.audit.budget import read_budget
from sparring.experiments.hardening.domain_settings import read_domain
from sparring.experiments.hardening.report import OVER, describe_hardening, list_facts, name_defense
from sparring.experiments.hardening.request import HardeningRequest, read_hardening
from sparring.experiments.hardening.run_hardening import Hardened, folder_of, harden
from sparring.experiments.hardening.verdict import verdict_to_json
from sparring.training import keep_freed_memory

BUDGET, POLICY = "30m", Path("hardened.safetensors")


def command(
    words: Words = None,
    *,
    domain: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The attack domain, by name or as a YAML file.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help=f"Approximate time for everything, such as 4m; {BUDGET} by default."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(metavar="N", help="Simulate N rounds of training, in place of a budget of time.")
    ] = None,
    knowledge: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="root_data: simulate from the server's data; white_box: true shards."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The policy; an interrupted hardening there resumes.")
    ] = POLICY,
    jobs: Jobs = None,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> None:
    """Learn a defense against a domain of attacks in a simulated federation, and compare it with all fixed rules.

    The policy is played by defense.name=learned defense.policy=FILE. The section harden has further settings, such as
    harden.actions=published. The same command resumes an interrupted hardening.

    Example: sparring harden data.name=digits model.name=logistic federation.clients=50 --budget 4m --out d.safetensors
    """
    keep_freed_memory()
    workers, document = choose_workers(jobs, None), read_words(words or [])
    if knowledge is not None:
        document = {**document, "harden": {**(document.get("harden") or {}), "knowledge": knowledge}}
    request = read_hardening(
        document,
        effort=_read_effort(budget, rounds),
        domain=None if domain is None else read_domain(domain),
        catalogues=load_catalogues(plugins),
    )
    config = request.config
    played = f"{config.model['name']} on {config.data.member['name']}"
    show_notice(f"hardening of {played} against {request.domain_name}, in {folder_of(out)}")
    done = harden(request, out, workers=workers.size, follower=ConsoleFollower())
    if as_json:
        typer.echo(json.dumps(_to_json(done, request), allow_nan=False))
        return
    _show(done)


def _read_effort(budget: str | None, rounds: int | None) -> float | int:
    if budget is not None and rounds is not None:
        raise ConfigError("--budget and --rounds are both given; choose one")
    return read_budget(budget or BUDGET) if rounds is None else rounds


def _list_paths(done: Hardened) -> dict[str, str]:
    return {"policy": str(done.policy), "constant": str(done.constant), "report": str(done.report)}


def _to_json(done: Hardened, request: HardeningRequest) -> dict[str, Any]:
    paths = _list_paths(done)
    return {**paths, "digest": request.digest, "rounds": dict(done.plan.rounds), **verdict_to_json(done.verdict)}


def _show(done: Hardened) -> None:
    """Print the verdict in a few lines, and all defenses."""
    show_facts({**list_facts(done.verdict), **_list_paths(done)})
    show_paragraphs(describe_hardening(done.verdict))
    typer.echo()
    ranked = {name_defense(row.name).removeprefix("the "): row.overall for row in done.verdict.rows}
    measured = OVER[done.verdict.table.over]
    show_ranking(f"defenses: accuracy minus backdoor accuracy, {measured}", ranked, corner="defense")
