"""Theorem F.8 of the meta-Stackelberg game on games with known answers, and what happens where its assumptions fail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparring.experiments.analysis.claims import Claim, Judgment, Verdict, combine_verdicts, skip_judgment
from sparring.experiments.analysis.statistics import (
    FEWEST_TO_DECIDE,
    Summary,
    format_summary,
    summarize,
)
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.reproductions.computed_claim import ComputedClaim, Part, Row
from sparring.experiments.reproductions.msg.rates import (
    ACCURACIES,
    EXPONENTS,
    fit_slope,
    measure_noise,
    measure_rates,
)
from sparring.experiments.reproductions.msg.violations import (
    CASES,
    DRIFT,
    DRIFTING,
    LEARNERS,
    measure_case,
    measure_coins,
    measure_drift,
    measure_ends,
)
from sparring.experiments.reproductions.preset import Scale


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The size of the calculation."""

    accuracies: tuple[float, ...] = ACCURACIES
    seeds: int
    most: int = 3000
    """Iterations after which learning is given up."""
    noises: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    """σ of the gradient of one episode."""
    repeats: int = 3
    steps: int = 12
    """Iterations with noise."""
    cases: tuple[str, ...] = tuple(CASES)
    drift: int = DRIFT


EXTENTS: Mapping[Scale, Extent] = {
    "smoke": Extent(
        accuracies=(0.4, 0.35, 0.3, 0.25, 0.2),
        seeds=1,
        noises=(1.0, 1000.0),
        repeats=1,
        steps=4,
        cases=("nothing",),
        drift=2,
    ),
    "laptop": Extent(seeds=3),
    "paper": Extent(seeds=10, repeats=10),
}
COARSE = 0.1
"""ε of learning with noise."""
STRENGTHS = (0.0, 1.0)
"""ρ, and so s, of the pair of springs."""
COIN_STEP = 2.0
"""η of the adaptation to a coin."""
ORDER = 2.0
"""N_D is of the order ε⁻²."""
TOLERANCE, TIE = 1e-3, 1e-6
"""Of a solver's end, and of two values that count as equal."""

ALWAYS = (
    "The paper has no measurements for this theorem: the games are our own.",
    "Definition 3.1 is read in expectation over types for the leader. Gradients are exact, or have Gaussian noise of "
    "variance σ²/N_b.",
    "Counts are computed from constants measured on each game, for σ = 1: as corrected, as lemma F.7 prints them, and "
    "with the last display of its proof solved for N_b.",
)
RATE = Claim("Iterations to an ε-meta-FOSE grow no faster than ε^-2, and are at most N_D.")
ENDS = Claim("Each solver ends at its own formula.")
CORRECTED = Claim("With N_b as corrected, learning comes to within ε at every noise.")
PRINTED = Claim("With N_b as lemma F.7 prints it, learning comes to within ε at every noise.")
BEST = Claim("Where no assumption fails, no solver's strategy is worth more than the meta-equilibrium.")
ROBUST = Claim("Where one assumption fails, no solver's strategy is worth more than the meta-equilibrium.")
COUNTS = ("N_D", "N_A corrected", "N_A printed", "N_b corrected", "N_b printed", "N_b displayed")
WORTH = (*LEARNERS, "best", "best fixed")


class Growth(NamedTuple):
    """How iterations grow with 1/ε in one game."""

    slope: Summary
    """The fitted exponent, over seeds."""
    is_in_time: bool
    """Whether all iterations are at most N_D."""


def list_parts(scale: Scale) -> tuple[Part, ...]:
    """Return the parts: what is measured, and in which case."""
    extent = EXTENTS[scale]
    rates = [{"about": "rate", "game": game, "seed": seed} for game in EXPONENTS for seed in range(extent.seeds)]
    noises = [{"about": "noise", "noise": noise} for noise in extent.noises]
    ends = [{"about": "ends", "coupling": coupling} for coupling in STRENGTHS]
    cases = [{"about": "violation", "case": case} for case in (*extent.cases, DRIFTING)]
    return (*rates, *noises, *ends, *cases, {"about": "coins"})


def calculate(scale: Scale, part: Part) -> tuple[Row, ...]:
    """Calculate one part, from its labels alone."""
    extent = EXTENTS[scale]
    if part["about"] == "rate":
        return tuple(measure_rates(part["game"], seed=part["seed"], accuracies=extent.accuracies, most=extent.most))
    if part["about"] == "noise":
        return tuple(measure_noise(part["noise"], accuracy=COARSE, repeats=extent.repeats, steps=extent.steps))
    if part["about"] == "ends":
        return tuple(measure_ends(part["coupling"]))
    if part["about"] == "coins":
        return tuple(measure_coins(COIN_STEP))
    return (measure_drift(extent.drift) if part["case"] == DRIFTING else measure_case(CASES[part["case"]]),)


def make_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Yield the tables: iterations and counts of each game, their growth, noise, ends, violations and coins."""
    for game in EXPONENTS:
        yield _rate_table(game, [row for row in _about(rows, "rate") if row["game"] == game])
    lines = [
        (
            game,
            format_summary(measure_growth(rows, game).slope, 2),
            f"{exponent:.3g}",
            f"{ORDER:.3g}",
            _grows(rows, game),
        )
        for game, exponent in EXPONENTS.items()
    ]
    yield Table(
        "growth of iterations with 1/ε: exponents", ("game", "fitted", "ascent", "theorem", "holds?"), (*lines,)
    )
    noisy = [
        (f"{row['noise']:.4g}", row["counts"], f"{row['N_b']:.3g}", f"{row['reached']:.3g}", _reaches(row))
        for row in _about(rows, "noise")
    ]
    yield Table(f"N_b and the noise, ε = {COARSE}", ("σ", "counts", "N_b", "residual", "within ε?"), tuple(noisy))
    ends = [
        (f"{row['coupling'] ** 2:.3g}", row["solver"], f"{row['end']:.4f}", f"{row['formula']:.4f}")
        for row in _about(rows, "ends")
    ]
    yield Table("where solvers end on springs", ("strength", "solver", "end", "formula"), tuple(ends))
    cases = [(row["case"], *(f"{row[name]:.3f}" for name in WORTH)) for row in _about(rows, "violation")]
    yield Table("the leader's payoff where an assumption fails", ("what fails", *WORTH), tuple(cases))
    coins = [
        (row["coin"], *(f"{row[name]:.3f}" for name in ("adapted", "fixed", "by belief")))
        for row in _about(rows, "coins")
    ]
    yield Table("coins, right guesses of two", ("coin", "adapted", "fixed", "by belief"), tuple(coins))


def judge(scale: Scale, rows: Sequence[Row]) -> tuple[Judgment, ...]:
    """Judge the theorem on every game, and the meta-equilibrium in every case."""
    noisy, cases = _about(rows, "noise"), _about(rows, "violation")
    verdicts = {
        RATE: [_grows(rows, game) for game in EXPONENTS],
        ENDS: [_holds(abs(row["end"] - row["formula"]) <= TOLERANCE) for row in _about(rows, "ends")],
        CORRECTED: [_reaches(row) for row in noisy if row["counts"] == "corrected"],
        PRINTED: [_reaches(row) for row in noisy if row["counts"] == "printed"],
        BEST: [_leads(row) for row in cases if row["case"] == "nothing"],
        ROBUST: [_leads(row) for row in cases if row["case"] != "nothing"],
    }
    return tuple(
        skip_judgment(claim, scale) or Judgment(claim, combine_verdicts(found)) for claim, found in verdicts.items()
    )


def measure_growth(rows: Sequence[Row], game: str) -> Growth:
    """Return how the iterations in a game grow with 1/ε; an iteration is the least that is counted."""
    seeds: dict[int, list[Row]] = {}
    for row in _about(rows, "rate"):
        if row["game"] == game:
            seeds.setdefault(row["seed"], []).append(row)
    slopes = [
        fit_slope([row["accuracy"] for row in own], [max(row["taken"], 1) for row in own]) for own in seeds.values()
    ]
    in_time = all(row["taken"] <= row["N_D"] for own in seeds.values() for row in own)
    return Growth(summarize(slopes), in_time)


def _grows(rows: Sequence[Row], game: str) -> Verdict:
    """Compare the interval of the exponent with that of the theorem."""
    (n, _, _, low, high), is_in_time = measure_growth(rows, game)
    if not is_in_time or (low is not None and low > ORDER):
        return "does not hold"
    return "holds" if n >= FEWEST_TO_DECIDE and high is not None and high <= ORDER else "undecided"


def _reaches(row: Row) -> Verdict:
    return _holds(row["reached"] <= COARSE)


def _leads(row: Row) -> Verdict:
    return _holds(row["meta"] >= max(row[name] for name in LEARNERS) - TIE)


def _holds(is_true: bool) -> Verdict:
    return "holds" if is_true else "does not hold"


def _about(rows: Sequence[Row], subject: str) -> list[Row]:
    return [row for row in rows if row["about"] == subject]


def _rate_table(game: str, rows: Sequence[Row]) -> Table:
    """Return a line for each ε, with means over seeds."""
    cells: dict[float, list[Row]] = {}
    for row in rows:
        cells.setdefault(row["accuracy"], []).append(row)
    lines = [
        (
            f"{accuracy:.3g}",
            format_summary(summarize([row["taken"] for row in cell]), 1, interval=False).partition(",")[0],
            *(f"{np.mean([row[name] for row in cell]):.3g}" for name in COUNTS),
        )
        for accuracy, cell in cells.items()
    ]
    header = ("ε", "iterations", "N_D", "N_A", "printed", "N_b", "printed", "displayed")
    return Table(f"iterations to an ε-meta-FOSE, {game}", header, tuple(lines))


MSG_THEORY = ComputedClaim(
    id="msg-theory",
    title="how fast meta-Stackelberg learning is, and what its assumptions are for",
    source="MSG, theorem F.8",
    differences={
        "smoke": (*ALWAYS, "One seed, large ε, and one case."),
        "laptop": (*ALWAYS, "Three draws of each game; ε down to 0.01."),
        "paper": (*ALWAYS, "Ten draws of each game; ε down to 0.01."),
    },
    parts=list_parts,
    calculate=calculate,
    tables=make_tables,
    judge=judge,
)
