"""The report of an empirical game: sentences, and a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sparring.experiments.analysis.equilibrium import DefenseEntry, EmpiricalGame, GameEstimate, Weights
from sparring.experiments.analysis.statistics import format_value
from sparring.experiments.report.html_page import load_templates

PLAYED = 0.005
"""The smallest probability that is mentioned."""
BETTER = 0.005
"""The smallest advantage of mixing over the best single defense that is mentioned."""


class ReportedGame(NamedTuple):
    """A game and what its payoffs are."""

    title: str
    game: EmpiricalGame
    weights: Weights
    average: bool

    @property
    def payoff(self) -> str:
        """The attackers' payoff as a formula in words."""
        parts = {"(1 - accuracy)": self.weights.accuracy, "backdoor accuracy": self.weights.backdoor}
        terms = " + ".join(name if weight == 1 else f"{weight:g} × {name}" for name, weight in parts.items() if weight)
        return f"{terms}, {'averaged over rounds' if self.average else 'after the last round'}"


def describe_game(game: EmpiricalGame) -> Iterator[str]:
    """Interpret the equilibrium in sentences."""
    best = game.commitment
    entry = game.defenses[best]
    chosen = "" if entry.best_in is None else f" It is the best in {100 * entry.best_in:.0f} % of the resampled tables."
    yield (
        f"If the server commits to one defense, {best} is the best: the attackers' best answer is "
        f"{entry.worst_attack}, which gains {format_value(*entry.worst)}.{chosen}"
    )
    if entry.exploitability.value < BETTER:
        yield "Mixing defenses does not help: the best single defense reaches the value of the game."
    else:
        yield (
            f"Drawing a defense from the server's mixture lowers that by {format_value(*entry.exploitability)}, to "
            f"the value of the game, {format_value(*game.value)}."
        )
    if game.value.low is None:
        yield f"There are {len(game.table.seeds)} common seeds; from three on there are intervals."


def list_weights(game: EmpiricalGame) -> list[tuple[str, GameEstimate]]:
    """Return the server's mixture."""
    return [(name, entry.weight) for name, entry in game.defenses.items()]


def rank_defenses(game: EmpiricalGame) -> list[tuple[str, DefenseEntry]]:
    """Return the defenses, that with the smallest worst payoff first."""
    return sorted(game.defenses.items(), key=lambda item: item[1].worst.value)


def list_payoffs(game: EmpiricalGame) -> list[tuple[str, list[float]]]:
    """Return the mean payoffs of each defense by attack, in the order of `rank_defenses`."""
    rows = dict(zip(game.table.defenses, game.table.mean.T.tolist(), strict=True))
    return [(name, rows[name]) for name, _ in rank_defenses(game)]


def list_played(probabilities: Sequence[tuple[str, GameEstimate]]) -> list[tuple[str, GameEstimate]]:
    """Return what a mixture plays, the most probable first."""
    played = [(name, each) for name, each in probabilities if each.value >= PLAYED]
    return sorted(played, key=lambda item: -item[1].value)


def describe_mixture(probabilities: Sequence[tuple[str, GameEstimate]]) -> str:
    """Return a mixture in words, as in `krum .60 [.41, .80], median .40 [.20, .59]`."""
    return ", ".join(f"{name} {format_value(*each, digits=2)}" for name, each in list_played(probabilities))


def game_page(reported: Sequence[ReportedGame], command: str) -> str:
    """Return the page of the games of a sweep as HTML."""
    return (
        load_templates()
        .get_template("game.html")
        .render(
            title="What to deploy: the game of attacks and defenses",
            sentences=list(describe_game(reported[0].game)) if len(reported) == 1 else [],
            games=reported,
            describe=describe_game,
            mixture=describe_mixture,
            format_value=format_value,
            weights_of=list_weights,
            ranked=rank_defenses,
            payoffs=list_payoffs,
            command=command,
        )
    )
