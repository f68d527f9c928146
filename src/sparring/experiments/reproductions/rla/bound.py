"""Theorem 1 of Li et al. (2022): what a learned attack loses where its estimate of the data is wrong, and the bound."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from sparring.arrays import Matrix
from sparring.experiments.analysis.claims import Claim, Judgment, Verdict, together, unjudged
from sparring.experiments.analysis.statistics import Floats, summary, written
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
    """How much is calculated."""

    benign: int
    malicious: int
    rounds: tuple[int, ...]
    seeds: int
    lr: float
    climb: PlanAscent = field(default_factory=PlanAscent)
    courses: int = 8
    """Courses of chance that a plan is searched on."""
    trials: int = 1000
    """Courses of chance that plans are compared on."""


SIZES: Mapping[Scale, Size] = {
    "smoke": Size(
        benign=4, malicious=1, rounds=(2,), seeds=1, lr=0.2, climb=PlanAscent(starts=2, steps=5), courses=2, trials=10
    ),
    "laptop": Size(benign=16, malicious=4, rounds=(1, 5, 20), seeds=3, lr=0.2),
    "paper": Size(benign=80, malicious=20, rounds=(1000,), seeds=5, lr=0.01, courses=2, trials=100),
}
PARAMETERS = 8
EXAMPLES = 20
"""What a client holds."""
PENALTY, REACH = 0.1, 0.7
DATA = ("alike", "iid", "by client")
"""All benign clients hold the same examples, examples of the same classes, or of classes of their own."""
FAINT, STRONG = 1e-4, 0.1
"""The noise on an estimate that is all but exact, and on one as gradient inversion might give it."""
DOUBT = 2.0
"""Standard errors that a measured loss may be off by, to either side."""

ALWAYS = (
    "The paper measures nothing of this theorem: game, data and estimates are ours.",
    "Loss: that of the best plans found, which heed nothing that happens. The best policies may differ by more.",
    "Attackers send local models with coordinates in [-0.7, 0.7]: without limits on what they send, no loss would be "
    "bounded, and no constant L would exist.",
)
CLAIM = Claim("The bound of theorem 1 is at least what the attack loses, in every game and for every estimate.")
HEADER = ("rounds", "estimate", "distance", "loss", "possible", "bound", "holds?")


def parts(scale: Scale) -> tuple[Part, ...]:
    """Return the games: how the data are spread, how long an episode is, and the seed of everything that is drawn."""
    size = SIZES[scale]
    combinations = product(DATA, size.rounds, range(size.seeds))
    return tuple({"data": data, "rounds": rounds, "seed": seed} for data, rounds, seed in combinations)


def calculate(scale: Scale, part: Part) -> tuple[Row, ...]:
    """Search the best plan for the true game and for that of each estimate, and try all of them in the true one.

    The best for the true game may be one that was found for an estimate.
    """
    size, draw = SIZES[scale], partial(stream, part["seed"], "rla-bound", part["data"])
    game = drawn_game(size, data=part["data"], rounds=part["rounds"], rng=draw("data"))
    guesses = estimates(game, rng=draw("noise"))
    games = [game, *map(game.imagined, guesses.values())]
    plans = torch.stack([_planned(each, size, rng=draw("search")) for each in games])
    with torch.no_grad():
        reached = finals(game, plans, draws=draws(game, size.trials, rng=draw("trials")))
        returns = objective(game, reached).double().numpy()
    best = returns[returns.mean(axis=1).argmax()]
    return tuple(
        {"estimate": name, **_measured(game, guess, lost=best - own)}
        for (name, guess), own in zip(guesses.items(), returns[1:], strict=True)
    )


def drawn_game(size: Size, *, data: str, rounds: int, rng: Generator) -> Averaging:
    """Draw a Gaussian class and its mirror image with a constant beside the inputs; the longest example has norm 1."""
    holders = (1 if data == "alike" else size.benign) + size.malicious
    apart = 1.0 if data == "by client" else 0.0
    centers = rng.standard_normal(PARAMETERS - 1) + apart * rng.standard_normal((holders, PARAMETERS - 1))
    drawn = np.stack([_examples(center, rng=rng) for center in centers])
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


def estimates(game: Averaging, *, rng: Generator) -> dict[str, Matrix]:
    """Return what the attackers may take for the benign clients' data, by name."""
    mixture = game.shards.flatten(0, 1)
    noise = torch.from_numpy(rng.standard_normal(mixture.shape)).float()
    return {
        "all but exact": mixture + FAINT * noise,
        "with noise": mixture + STRONG * noise,
        "own examples": game.own,
        "wrong labels": -mixture,
    }


def draws(game: Averaging, courses: int, *, rng: Generator) -> Tensor:
    """Draw the places of the benign clients' examples for several courses of the game."""
    return torch.from_numpy(rng.integers(game.shards.shape[1], size=(game.rounds, courses, game.benign)))


def tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Yield a table for each way in which data are spread, with a line for each length of the game and estimate."""
    for data in DATA:
        cells: dict[tuple[int, str], list[Row]] = {}
        for row in rows:
            if row["data"] == data:
                cells.setdefault((row["rounds"], row["estimate"]), []).append(row)
        yield Table(f"theorem 1, data {data}", HEADER, tuple(map(_line, cells.values())))


def judge(scale: Scale, rows: Sequence[Row]) -> tuple[Judgment, ...]:
    """Judge the bound on every row: the theorem has no exceptions."""
    return (unjudged(CLAIM, scale) or Judgment(CLAIM, together(map(_verdict, rows))),)


def _examples(center: Floats, *, rng: Generator) -> Floats:
    """Draw a client's examples times their labels."""
    labels = rng.choice([-1.0, 1.0], (EXAMPLES, 1))
    inputs = rng.standard_normal((EXAMPLES, PARAMETERS - 1)) + labels * center
    drawn: Floats = labels * np.concatenate([inputs, np.ones((EXAMPLES, 1))], axis=1)
    return drawn


def _planned(game: Averaging, size: Size, *, rng: Generator) -> Tensor:
    """Return the best plan found for a game, on the same courses of chance throughout the search."""
    courses = draws(game, size.courses, rng=rng)

    def returns(plans: Tensor) -> Tensor:
        return objective(game, finals(game, plans, draws=courses)).mean(dim=1)

    return best_plan(returns, shape=(game.rounds, game.size), climb=size.climb, rng=rng)


def _measured(game: Averaging, estimate: Matrix, *, lost: Floats) -> Row:
    given = ingredients(game, estimate)
    return {
        "distance": given.distance,
        "loss": float(lost.mean()),
        "error": float(lost.std(ddof=1) / len(lost) ** 0.5),
        "largest": largest_difference(game, estimate),
        "bound": attack_bound(given),
    }


def _line(cell: Sequence[Row]) -> tuple[str, ...]:
    """Write means over seeds, and of what bounds the loss the least."""
    distance, loss = (summary([row[key] for row in cell]) for key in ("distance", "loss"))
    least = (f"{min(row[key] for row in cell):.3g}" for key in ("largest", "bound"))
    place = str(cell[0]["rounds"]), cell[0]["estimate"]
    measured = f"{distance.mean:.3g}", written(loss, 4, interval=False)
    return (*place, *measured, *least, together(map(_verdict, cell)))


def _verdict(row: Row) -> Verdict:
    """Compare a loss, as far as it is known, with its bound."""
    if abs(row["loss"]) + DOUBT * row["error"] <= row["bound"]:
        return "holds"
    return "does not hold" if abs(row["loss"]) - DOUBT * row["error"] > row["bound"] else "undecided"


RLA_BOUND = ComputedClaim(
    id="rla-bound",
    title="the cost of a wrong estimate, and its bound",
    source="Li et al., 2022, theorem 1",
    differences={
        "smoke": (*ALWAYS, "Two rounds of five clients, and hardly a search."),
        "laptop": (*ALWAYS, "20 clients, 1 to 20 rounds at lr 0.2."),
        "paper": (*ALWAYS, "The paper's clients, rounds and lr; it plays no logistic regression."),
    },
    parts=parts,
    calculate=calculate,
    tables=tables,
    judge=judge,
)
