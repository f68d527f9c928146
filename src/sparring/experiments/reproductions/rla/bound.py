"""Theorem 1 of Li et al. (2022): the loss of a learned attack due to a wrong estimate of the data, and its bound."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Matrix
from sparring.experiments.analysis.claims import Claim, Judgment, Verdict, combine_verdicts, skip_judgment
from sparring.experiments.analysis.statistics import Floats, format_summary, summarize
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.reproductions.computed_claim import ComputedClaim, Part, Row
from sparring.experiments.reproductions.preset import Scale
from sparring.games.exact import Averaging, finals, objective
from sparring.learning.theory.attack_bound import attack_bound
from sparring.learning.theory.bound_constants import ingredients, largest_difference
from sparring.learning.theory.open_loop_plans import PlanAscent, best_plan
from sparring.random import Generator, stream


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of the calculation."""

    benign: int
    malicious: int
    rounds: tuple[int, ...]
    seeds: int
    lr: float
    climb: PlanAscent = field(default_factory=PlanAscent)
    search_draws: int = 8
    """The number of random draws for searching a plan."""
    trials: int = 1000
    """The number of random draws for comparing plans."""


SIZES: Mapping[Scale, Size] = {
    "smoke": Size(
        benign=4,
        malicious=1,
        rounds=(2,),
        seeds=1,
        lr=0.2,
        climb=PlanAscent(starts=2, steps=5),
        search_draws=2,
        trials=10,
    ),
    "laptop": Size(benign=16, malicious=4, rounds=(1, 5, 20), seeds=3, lr=0.2),
    "paper": Size(benign=80, malicious=20, rounds=(1000,), seeds=5, lr=0.01, search_draws=2, trials=100),
}
PARAMETERS = 8
EXAMPLES = 20
"""The number of examples of a client."""
PENALTY, REACH = 0.1, 0.7
DATA = ("alike", "iid", "by client")
"""All benign clients hold the same examples, examples of the same classes, or examples of different classes."""
FAINT, STRONG = 1e-4, 0.1
"""The noise of an almost exact estimate, and of an estimate as from gradient inversion."""
DOUBT = 2.0
"""The tolerance of a measured loss in standard errors."""

ALWAYS = (
    "The paper has no measurements for this theorem: the game, the data and the estimates are our own.",
    "Loss: that of the best open-loop plans found. The best policies may differ by more.",
    "Attackers send local models with coordinates in [-0.7, 0.7]: without limits on their models, losses would be "
    "unbounded, and no constant L would exist.",
)
CLAIM = Claim("The bound of theorem 1 is at least the loss of the attack, in every game and for every estimate.")
HEADER = ("rounds", "estimate", "distance", "loss", "possible", "bound", "holds?")


def list_parts(scale: Scale) -> tuple[Part, ...]:
    """Return the games: the distribution of the data, the rounds of an episode, and the seed."""
    size = SIZES[scale]
    combinations = product(DATA, size.rounds, range(size.seeds))
    return tuple({"data": data, "rounds": rounds, "seed": seed} for data, rounds, seed in combinations)


def calculate(scale: Scale, part: Part) -> tuple[Row, ...]:
    """Search the best plan for the true game and for each estimate, and evaluate all plans in the true game.

    The best plan for the true game may be one found for an estimate.
    """
    size, draw = SIZES[scale], partial(stream, part["seed"], "rla-bound", part["data"])
    game = draw_game(size, data=part["data"], rounds=part["rounds"], rng=draw("data"))
    guesses = make_estimates(game, rng=draw("noise"))
    games = [game, *map(game.imagined, guesses.values())]
    plans = torch.stack([_find_plan(each, size, rng=draw("search")) for each in games])
    with torch.no_grad():
        reached = finals(game, plans, draws=draw_indices(game, size.trials, rng=draw("trials")))
        returns = objective(game, reached).double().numpy()
    best = returns[returns.mean(axis=1).argmax()]
    return tuple(
        {"estimate": name, **_measure(game, guess, lost=best - own)}
        for (name, guess), own in zip(guesses.items(), returns[1:], strict=True)
    )


def draw_game(size: Size, *, data: str, rounds: int, rng: Generator) -> Averaging:
    """Draw a Gaussian class and its mirror image, with a constant input added; the largest norm of an example is 1."""
    holders = (1 if data == "alike" else size.benign) + size.malicious
    apart = 1.0 if data == "by client" else 0.0
    centers = rng.standard_normal(PARAMETERS - 1) + apart * rng.standard_normal((holders, PARAMETERS - 1))
    drawn = np.stack([_draw_examples(center, rng=rng) for center in centers])
    held = torch.from_numpy(drawn / np.linalg.norm(drawn, axis=2).max()).float()
    return Averaging(
        shards=held[: -size.malicious],
        own=held[-size.malicious :].flatten(0, 1),
        benign=size.benign,
        malicious=size.malicious,
        lr=size.lr,
        penalty=PENALTY,
        reach=REACH,
        rounds=rounds,
    )


def make_estimates(game: Averaging, *, rng: Generator) -> dict[str, Matrix]:
    """Return the attackers' possible estimates of the benign clients' data by name."""
    mixture = game.shards.flatten(0, 1)
    noise = torch.from_numpy(rng.standard_normal(mixture.shape)).float()
    return {
        "all but exact": mixture + FAINT * noise,
        "with noise": mixture + STRONG * noise,
        "own examples": game.own,
        "wrong labels": -mixture,
    }


def draw_indices(game: Averaging, count: int, *, rng: Generator) -> Tensor:
    """Draw the indices of the benign clients' examples for several repetitions of the game."""
    return torch.from_numpy(rng.integers(game.shards.shape[1], size=(game.rounds, count, game.benign)))


def make_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Yield a table for each distribution of the data, with a row for each number of rounds and estimate."""
    for data in DATA:
        cells: dict[tuple[int, str], list[Row]] = {}
        for row in rows:
            if row["data"] == data:
                cells.setdefault((row["rounds"], row["estimate"]), []).append(row)
        yield Table(f"theorem 1, data {data}", HEADER, tuple(map(_format_line, cells.values())))


def judge(scale: Scale, rows: Sequence[Row]) -> tuple[Judgment, ...]:
    """Judge the bound on every row, since the theorem has no exceptions."""
    return (skip_judgment(CLAIM, scale) or Judgment(CLAIM, combine_verdicts(map(_verdict, rows))),)


def _draw_examples(center: Floats, *, rng: Generator) -> Floats:
    """Draw a client's examples times their labels."""
    labels = rng.choice([-1.0, 1.0], (EXAMPLES, 1))
    inputs = rng.standard_normal((EXAMPLES, PARAMETERS - 1)) + labels * center
    drawn: Floats = labels * np.concatenate([inputs, np.ones((EXAMPLES, 1))], axis=1)
    return drawn


def _find_plan(game: Averaging, size: Size, *, rng: Generator) -> Tensor:
    """Return the best plan found for a game, with the same random draws throughout the search."""
    common = draw_indices(game, size.search_draws, rng=rng)

    def returns(plans: Tensor) -> Tensor:
        return objective(game, finals(game, plans, draws=common)).mean(dim=1)

    return best_plan(returns, shape=(game.rounds, game.size), climb=size.climb, rng=rng)


def _measure(game: Averaging, estimate: Matrix, *, lost: Floats) -> Row:
    given = ingredients(game, estimate)
    return {
        "distance": given.distance,
        "loss": float(lost.mean()),
        "error": float(lost.std(ddof=1) / len(lost) ** 0.5),
        "largest": largest_difference(game, estimate),
        "bound": attack_bound(given),
    }


def _format_line(cell: Sequence[Row]) -> tuple[str, ...]:
    """Format the means over seeds of distance and loss, and the minima of the two bounds."""
    distance, loss = (summarize([row[key] for row in cell]) for key in ("distance", "loss"))
    least = (f"{min(row[key] for row in cell):.3g}" for key in ("largest", "bound"))
    case = str(cell[0]["rounds"]), cell[0]["estimate"]
    measured = f"{distance.mean:.3g}", format_summary(loss, 4, interval=False)
    return (*case, *measured, *least, combine_verdicts(map(_verdict, cell)))


def _verdict(row: Row) -> Verdict:
    """Compare a loss, within its standard error, with its bound."""
    if abs(row["loss"]) + DOUBT * row["error"] <= row["bound"]:
        return "holds"
    return "does not hold" if abs(row["loss"]) - DOUBT * row["error"] > row["bound"] else "undecided"


RLA_BOUND = ComputedClaim(
    id="rla-bound",
    title="the cost of a wrong estimate, and its bound",
    source="Li et al., 2022, theorem 1",
    differences={
        "smoke": (*ALWAYS, "Two rounds of five clients, and a very short search."),
        "laptop": (*ALWAYS, "20 clients, 1 to 20 rounds at lr 0.2."),
        "paper": (*ALWAYS, "The paper's clients, rounds and lr; the paper does not use logistic regression."),
    },
    parts=list_parts,
    calculate=calculate,
    tables=make_tables,
    judge=judge,
)
