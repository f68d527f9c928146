"""`sparring game`: the equilibrium of a sweep of attacks and defenses."""

import json
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from sparring.cli.console import show_facts, show_paragraphs
from sparring.cli.options import AsJson
from sparring.cli.tables import show_estimates
from sparring.experiments.analysis.equilibrium import GameEstimate, Weights, solve_game, tabulate_payoffs
from sparring.experiments.analysis.statistics import format_value
from sparring.experiments.jobs.atomic_files import write
from sparring.experiments.report.game_page import (
    ReportedGame,
    describe_game,
    describe_mixture,
    game_page,
    list_weights,
    rank_defenses,
)
from sparring.experiments.report.panels import split_study
from sparring.experiments.report.study import read_study


def command(
    folder: Annotated[Path, typer.Argument(metavar="SWEEP", help="Folder of a sweep over attacks and defenses.")],
    *,
    accuracy_weight: Annotated[float, typer.Option(metavar="NUMBER", help="What a lost point of accuracy costs.")] = 1,
    backdoor_weight: Annotated[
        float, typer.Option(metavar="NUMBER", help="What a point of backdoor accuracy costs.")
    ] = 1,
    average: Annotated[bool, typer.Option("--average", help="Average over rounds, in place of the last one.")] = False,
    without: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Leave out an attack or a defense; can be repeated.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Solve the game of a sweep: the best defense to commit to, the best mixture, and how exploitable each defense is.

    Attackers choose an attack of the sweep that the server, which chooses a defense, pays for: lost accuracy and
    backdoor accuracy by their weights. Add learned attacks and defenses to the sweep to have them in the game.

    Example: sparring game my-sweep --backdoor-weight 2 --html game.html
    """
    weights = Weights(accuracy_weight, backdoor_weight)
    reported = [
        ReportedGame(
            title,
            solve_game(tabulate_payoffs(part.frame, weights=weights, average=average, without=without or ())),
            weights,
            average,
        )
        for title, part in split_study(read_study(folder))
    ]
    if html is not None:
        write(html, game_page(reported, _command(folder, weights, average=average, without=without or [])).encode())
    if as_json:
        typer.echo(json.dumps([_to_json(each) for each in reported], allow_nan=False))
        return
    for each in reported:
        _show(each)
    if html is not None:
        typer.echo(f"written: {html}")


def _show(reported: ReportedGame) -> None:
    game = reported.game
    if reported.title:
        typer.echo(f"{reported.title}\n")
    show_paragraphs(describe_game(game))
    typer.echo()
    show_facts(
        {
            "value": format_value(*game.value),
            "server": describe_mixture(list_weights(game)),
            "attackers": describe_mixture(list(game.attacks.items())),
            "payoff": f"{reported.payoff}; the server pays it",
        }
    )
    typer.echo()
    rows = {
        name: {"worst payoff": entry.worst, "exploitability": entry.exploitability, "in the mixture": entry.weight}
        for name, entry in rank_defenses(game)
    }
    show_estimates("defenses, the most resistant first", rows, corner="defense")


def _to_json(reported: ReportedGame) -> dict[str, Any]:
    game = reported.game
    return {
        "title": reported.title,
        "payoff": reported.payoff,
        "seeds": game.table.seeds,
        "value": game.value._asdict(),
        "commitment": game.commitment,
        "attacks": {name: each._asdict() for name, each in game.attacks.items()},
        "defenses": {
            name: {
                field: each._asdict() if isinstance(each, GameEstimate) else each
                for field, each in entry._asdict().items()
            }
            for name, entry in game.defenses.items()
        },
    }


def _command(folder: Path, weights: Weights, *, average: bool, without: list[str]) -> str:
    """Return the command that repeats this."""
    words = ["sparring", "game", quote(str(folder))]
    words += [f"--{name}-weight {weight:g}" for name, weight in weights._asdict().items() if weight != 1]
    words += ["--average"] if average else []
    return " ".join([*words, *(f"--without {quote(label)}" for label in without)])
