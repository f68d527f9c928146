"""`sparring check-plugin`: does a class satisfy the contract of its kind?"""

import json
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Annotated

import typer

from sparring.cli.console import terminal_width
from sparring.cli.options import AsJson, Plugins, load_catalogues
from sparring.conformance import PlayerFinding, conformance
from sparring.experiments.config.plugins import build_plugin, load_class
from sparring.kinds import kind_of

WIDTH = 80
SHOWN = 3
"""Failures of one check that are printed; further ones are usually similar."""


def command(
    path: Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A class, as package.module:Class.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SECTION.KEY=VALUE]...", help="Options of the class, in the syntax of `sparring run`."),
    ] = None,
    *,
    as_json: AsJson = False,
    plugins: Plugins = None,
) -> int:
    """Check your own class against the contract of its kind: attack, rule, trigger, data set, partition or model.

    Example: sparring check-plugin my_rules:Midrange
    """
    cls = load_class(path)
    kind = kind_of(cls)
    findings = conformance(build_plugin(cls, settings or (), load_catalogues(plugins)))
    done = list(findings) if as_json else _show_findings(findings)
    passes = not any(finding.failures for finding in done)
    if as_json:
        checks = [finding._asdict() for finding in done]
        typer.echo(json.dumps({"plugin": path, "kind": kind, "passes": passes, "checks": checks}))
    else:
        typer.echo(f"{sum(not finding.failures for finding in done)} of {len(done)} checks of {kind} pass")
    return 0 if passes else 1


def _show_findings(findings: Iterable[PlayerFinding]) -> Sequence[PlayerFinding]:
    """Print each finding when it is available: one line, followed by its failures."""
    done = []
    for finding in findings:
        done.append(finding)
        word, color = ("FAILS", "red") if finding.failures else ("passes", "green")
        typer.echo(typer.style(f"{word:<8}", fg=color) + finding.check)
        for failure in _shorten(finding.failures):
            for line in wrap(
                failure, min(WIDTH, terminal_width()), initial_indent=" " * 10, subsequent_indent=" " * 12
            ):
                typer.echo(line)
    return done


def _shorten(failures: Sequence[str]) -> Sequence[str]:
    more = len(failures) - SHOWN
    return [*failures[:SHOWN], f"and {more} more; --json prints all"] if more > 0 else failures
