"""Figure 3 of R2T2: a scalar regression that players of levels 0 to 2 pull at, by exact expectation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import numpy as np

from sparring.experiments.analysis.claims import Claim, Judgment, Verdict, combine_verdicts, skip_judgment
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.reproductions.computed_claim import ComputedClaim, Part, Row
from sparring.experiments.reproductions.preset import Scale
from sparring.games.exact import TugOfWar, pure_saddles
from sparring.games.exact.tug_of_war import LEVELS
from sparring.random import stream


class Simulation(NamedTuple):
    """How many plays are simulated, from how many seeds."""

    plays: int
    seeds: int


SIMULATIONS: Mapping[Scale, Simulation] = {
    "smoke": Simulation(plays=200, seeds=1),
    "laptop": Simulation(plays=200_000, seeds=3),
    "paper": Simulation(plays=200_000, seeds=5),
}
GAME = TugOfWar()
STEPS: Mapping[str, float] = {"undershoots": 0.7, "overshoots": 1.9}
"""An input from which a plain step falls short of θ*, and one from which it goes beyond."""
PAIRS = tuple(np.ndindex(LEVELS, LEVELS))
NEAR, DOUBT = 0.1, 4.0
"""The relative distance within which two losses count as equal, and the tolerance of a mean in standard errors."""

SADDLE = Claim("Level 2 against level 2 is the only saddle of the table of levels 0 to 2.")
HIGHER = Claim("A higher level pays each player, whatever the level of the other.")
LESS = Claim("Against level 0 the gain from level 1 to level 2 is smaller than that from level 0 to level 1: in loss.")
LESS_FACTOR = Claim("The same gains as factors: the second is smaller than the first.")
UNDER = Claim("Where a plain step undershoots, both levels move θ as they intend.")
OVER = Claim("Where a plain step overshoots, level 2 moves θ as it intends, and level 1 does not.")
MEANS = Claim(f"The mean of simulated plays is within {NEAR:.0%} of the expected loss, for every pair of levels.")
LOGS = Claim(f"The mean logarithm of simulated losses is within {DOUBT:g} standard errors of the exact one.")

ALWAYS = (
    "Expected losses are integrals in closed form: the mean of simulated plays, which the figure shows, is decided by "
    "a few of them, since a loss is a product of 30 squared factors.",
    "The label moves with x, since the closed forms of appendix A.2.1 come out only then.",
    "The figure has no numbers in the text: only what the text says of it is judged.",
    "The equilibrium of the paper holds as ε → 0; at ε = 0.1 the table of levels 0 to 2 has a saddle.",
)


def list_parts(scale: Scale) -> tuple[Part, ...]:
    """Return the parts: the exact table, the single steps, and the simulated plays of each seed."""
    steps = [{"about": "step", "case": case} for case in STEPS]
    seeds = [{"about": "plays", "seed": seed} for seed in range(SIMULATIONS[scale].seeds)]
    return ({"about": "table"}, *steps, *seeds)


def calculate(scale: Scale, part: Part) -> tuple[Row, ...]:
    """Calculate one part: a row for each pair of levels."""
    if part["about"] == "table":
        return tuple(_measure_table())
    if part["about"] == "step":
        return tuple(_measure_steps(STEPS[part["case"]]))
    return tuple(_measure_plays(SIMULATIONS[scale].plays, seed=part["seed"]))


def make_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Yield the exact table, the single steps, and what simulation makes of the table."""
    exact = {_pair(row): row for row in _about(rows, "table")}
    cells = (
        (f"{row}", *(f"{exact[row, column]['expected']:.4e}" for column in range(LEVELS))) for row in range(LEVELS)
    )
    header = ("attacker's level", *(f"defender {level}" for level in range(LEVELS)))
    yield Table("expected loss after 30 rounds", header, tuple(cells))
    for case, x in STEPS.items():
        steps = [row for row in _about(rows, "step") if row["case"] == case]
        lines = ((*_levels(row), f"{row['after']:.3f}", f"{row['distance']:.3f}", _slopes(row)) for row in steps)
        title = f"one step from θ = {GAME.start:g} on x = {x:g}, which {case} θ* = {GAME.optimum:g}"
        yield Table(title, ("attacker", "defender", "θ after", "|θ - θ*|", "slope of U at levels 1, 2"), tuple(lines))
    header = (
        "attacker",
        "defender",
        "expected",
        "mean of plays",
        "mean / expected",
        "largest play",
        "typical",
        "exp of mean log",
    )
    yield Table("simulated plays", header, tuple(_format_plays(exact, rows)))


def judge(scale: Scale, rows: Sequence[Row]) -> tuple[Judgment, ...]:
    """Judge what the text says of the figure, and what a simulation shows of it."""
    losses = np.empty((LEVELS, LEVELS))
    for row in _about(rows, "table"):
        losses[_pair(row)] = row["expected"]
    gains, factors = _gains(losses), _gains(np.log(losses))
    exact = {_pair(row): row for row in _about(rows, "table")}
    plays = _about(rows, "plays")
    verdicts: Mapping[Claim, Iterable[bool]] = {
        SADDLE: [pure_saddles(losses) == [(2, 2)]],
        HIGHER: [bool((np.diff(losses, axis=0) > 0).all()), bool((np.diff(losses, axis=1) < 0).all())],
        LESS: [second < first for first, second in gains],
        LESS_FACTOR: [second < first for first, second in factors],
        UNDER: _intended(rows, "undershoots", {1: True, 2: True}),
        OVER: _intended(rows, "overshoots", {1: False, 2: True}),
        MEANS: [abs(row["mean"] / exact[_pair(row)]["expected"] - 1) <= NEAR for row in plays],
        LOGS: [abs(row["log"] - np.log(exact[_pair(row)]["typical"])) <= DOUBT * row["error"] for row in plays],
    }
    return tuple(
        skip_judgment(claim, scale) or Judgment(claim, combine_verdicts(map(_holds, found)))
        for claim, found in verdicts.items()
    )


def _measure_table() -> Iterator[Row]:
    expected, typical = GAME.expected_losses(), GAME.typical_losses()
    for pair in PAIRS:
        yield {**_labels(pair), "expected": float(expected[pair]), "typical": float(typical[pair])}


def _measure_steps(x: float) -> Iterator[Row]:
    first, second = (float(GAME.slope(GAME.start, np.array([x]), level=level)[0]) for level in (1, 2))
    for pair in PAIRS:
        after = float(GAME.step(GAME.start, np.array([x]), attack=pair[0], defense=pair[1])[0])
        yield {**_labels(pair), "after": after, "distance": abs(after - GAME.optimum), "first": first, "second": second}


def _measure_plays(plays: int, *, seed: int) -> Iterator[Row]:
    losses = GAME.simulate(stream(seed, "r2t2-fig3"), plays=plays)
    for pair in PAIRS:
        own, logs = losses[pair], np.log(losses[pair])
        yield {
            **_labels(pair),
            "mean": float(own.mean()),
            "largest": float(own.max() / own.sum()),
            "log": float(logs.mean()),
            "error": float(logs.std(ddof=1) / plays**0.5),
        }


def _labels(pair: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(("attack", "defense"), pair, strict=True))


def _pair(row: Row) -> tuple[int, int]:
    return row["attack"], row["defense"]


def _levels(row: Row) -> tuple[str, str]:
    return str(row["attack"]), str(row["defense"])


def _slopes(row: Row) -> str:
    return f"{row['first']:+.4g}, {row['second']:+.4g}"


def _about(rows: Sequence[Row], subject: str) -> list[Row]:
    return [row for row in rows if row["about"] == subject]


def _format_plays(exact: Mapping[tuple[int, int], Row], rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each pair, with means over seeds; the largest play is its share of the sum of all losses."""
    for pair, row in exact.items():
        plays = [each for each in _about(rows, "plays") if _pair(each) == pair]
        mean, log, largest = (fmean(each[key] for each in plays) for key in ("mean", "log", "largest"))
        ratios = [each["mean"] / row["expected"] for each in plays]
        between = f"{min(ratios):.2f} to {max(ratios):.2f}"
        typical = f"{row['typical']:.2e}", f"{np.exp(log):.2e}"
        yield (*_levels(row), f"{row['expected']:.3e}", f"{mean:.3e}", between, f"{largest:.0%}", *typical)


def _gains(values: np.ndarray) -> list[tuple[float, float]]:
    """Return the gains of the attacker and of the defender by each further level, against level 0."""
    return [tuple(abs(after - before) for before, after in pairwise(own)) for own in (values[:, 0], values[0])]


def _intended(rows: Sequence[Row], case: str, expected: Mapping[int, bool]) -> list[bool]:
    """Compare whether each level alone moves θ as it intends with what is expected: away from θ*, or towards it."""
    distances = {_pair(row): row["distance"] for row in _about(rows, "step") if row["case"] == case}
    plain = distances[0, 0]
    return [
        met
        for level, is_right in expected.items()
        for met in (
            (distances[level, 0] > plain) is is_right,
            (distances[0, level] < plain) is is_right,
        )
    ]


def _holds(is_true: bool) -> Verdict:
    return "holds" if is_true else "does not hold"


R2T2_FIG3 = ComputedClaim(
    id="r2t2-fig3",
    title="a scalar regression under players of levels 0 to 2",
    source="R2T2, figure 3",
    differences={
        "smoke": (*ALWAYS, "200 plays of one seed."),
        "laptop": (*ALWAYS, "200 000 plays of each of 3 seeds; the number of published plays is not stated."),
        "paper": (*ALWAYS, "200 000 plays of each of 5 seeds; the number of published plays is not stated."),
    },
    parts=list_parts,
    calculate=calculate,
    tables=make_tables,
    judge=judge,
)
