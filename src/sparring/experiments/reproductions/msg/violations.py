"""What a leader's strategy is worth on springs when an assumption of the meta-Stackelberg game fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from sparring.arrays import Matrix, Vector
from sparring.experiments.analysis.statistics import Floats
from sparring.experiments.reproductions.msg.rates import STEP, make_tasks
from sparring.games.exact.coins import HEADS, TAILS, Coins, adapted_value, bayesian_value
from sparring.games.exact.spring_variants import FollowerType, SelfishSpring, TwoWells
from sparring.games.exact.springs import Spring, Springs
from sparring.learning.bayesian import RepeatedGame, perfect_bayesian
from sparring.learning.meta.adaptation import Ascent, adapt_leader
from sparring.learning.meta.directions import debiased, first_order
from sparring.learning.stackelberg import MetaStackelberg, StackelbergState, bayesian_stackelberg, reptile_learner
from sparring.random import stream

ADAPTATION, ANSWER = Ascent(STEP), Ascent(0.4, steps=5)
REPTILE_STEPS = 10
LEARNERS: Mapping[str, MetaStackelberg] = {
    "meta": MetaStackelberg(debiased, 1.0, ADAPTATION, ANSWER),
    "first order": MetaStackelberg(first_order, 0.8, ADAPTATION, ANSWER),
    "Reptile": reptile_learner(Ascent(STEP, steps=REPTILE_STEPS), answer=ANSWER),
    "Bayesian": bayesian_stackelberg(0.3, answer=ANSWER),
}
NEVER_ADAPTS = "Bayesian"
"""The learner that plays what it learned; the others first adapt, all by one step."""
ITERATIONS = 40
FEW, MANY = 0.1, 0.9
"""The shares of the first type under the true prior, where it is not one half."""
DRIFT, DRAWN = 50, 10
"""Iterations of a drift, and the types that are drawn in each where learning goes on."""
ALTERNATIONS = 30
"""Adaptations and answers after which a type's play has settled, or goes to and fro between two points."""
GRID = torch.linspace(-2.0, 2.0, 4001, dtype=torch.float64)
"""The strategies among which the best is searched."""
MISLEADING = (-1.0, 1.0)
"""Extremes of what a type may play while the leader adapts; J_D after the answer is concave: one of them is worst."""

Conduct = Literal["itself", "another", "anything"]
"""How a type plays while the leader adapts: as usual, as another type if that harms more, or whatever harms most."""


@dataclass(frozen=True)
class Case:
    """What is believed while learning, and what is played in truth."""

    believed: tuple[FollowerType, ...]
    true: tuple[FollowerType, ...]
    conduct: Conduct = "itself"


def pair(share: float = 0.5, *, coupling: float = 1.0) -> tuple[Spring, Spring]:
    """Return two springs that pull apart; `share` is that of the first."""
    return (
        Spring(stiffness=1, rest=1, coupling=coupling, weight=share),
        Spring(stiffness=4, rest=-1, coupling=coupling, weight=1 - share),
    )


HALF = pair()
SELFISH, WELLS = tuple(map(SelfishSpring, HALF)), tuple(map(TwoWells, HALF))
CASES: Mapping[str, Case] = {
    "nothing": Case(HALF, HALF),
    "Q: .5 for .9": Case(HALF, pair(MANY)),
    "Q: .5 for .1": Case(HALF, pair(FEW)),
    "Q drifts": Case(pair(MANY), HALF),  # values are linear in Q, and .5 is its mean
    "type plays another": Case(HALF, HALF, "another"),
    "type misleads": Case(HALF, HALF, "anything"),
    "strict competition": Case(SELFISH, SELFISH),
    "PL": Case(WELLS, WELLS),
}
DRIFTING = "Q drifts, learns on"


def measure_ends(coupling: float) -> list[dict[str, float | str]]:
    """Return where each learner ends on the pair of springs, and its formula."""
    types = pair(coupling=coupling)
    game = Springs(types)
    formulas = {
        "meta": game.meta(STEP),
        "first order": game.first_order(STEP),
        "Reptile": game.reptile(STEP, REPTILE_STEPS),
        "Bayesian": game.bayesian(),
    }
    return [
        {"solver": name, "end": learn(learner, types).leader.item(), "formula": formulas[name]}
        for name, learner in LEARNERS.items()
    ]


def learn(learner: MetaStackelberg, types: Sequence[FollowerType]) -> StackelbergState:
    """Train from θ = 0.5 and φ = 1 for both types."""
    tasks, start = make_tasks(types), torch.full((1,), 0.5, dtype=torch.float64)
    first = learner.initial(tasks, start, [torch.ones(1, dtype=torch.float64)] * len(types))
    return learner.improve(first, tasks, steps=ITERATIONS, seed=0)


def measure_case(case: Case) -> dict[str, float]:
    """Return what each learner's strategy is worth in truth, and the best strategies of both kinds."""
    found = {name: learn(learner, case.believed).leader for name, learner in LEARNERS.items()}
    worth = {name: evaluate(case, theta, adapts=name != NEVER_ADAPTS).item() for name, theta in found.items()}
    return {**worth, **_best(evaluate(case, GRID, adapts=True), evaluate(case, GRID, adapts=False))}


def measure_drift(iterations: int = DRIFT) -> dict[str, float]:
    """Return the mean worth over a drift of Q during which each learner goes on, with types that are drawn from Q."""
    shares = np.linspace(MANY, FEW, iterations)
    worth = {}
    for name, learner in LEARNERS.items():
        state, ongoing, passed = learn(learner, pair(MANY)), replace(learner, drawn=DRAWN), []
        for share in shares:
            passed.append(state.leader)
            state = ongoing.improve(state, make_tasks(pair(share)), steps=1, seed=1)
        by_type = _by_type(Case(HALF, HALF), torch.cat(passed), adapts=name != NEVER_ADAPTS)
        worth[name] = float((_prior(shares) * by_type).sum(dim=0).mean())
    values = [_prior(shares).T @ _by_type(Case(HALF, HALF), GRID, adapts=adapts) for adapts in (True, False)]
    return {**worth, **_best(*(value.max(dim=1).values.mean()[None] for value in values))}


def measure_coins(step: float) -> list[dict[str, float | str]]:
    """Return what guessing two coins is worth where they show themselves, and where they first show the other side."""
    game = Coins()
    belief = perfect_bayesian(RepeatedGame(game.stage, game.rounds, game.shown))
    concealed = 0.0
    for own, other, share in ((HEADS, TAILS, game.prior), (TAILS, HEADS, 1 - game.prior)):
        guesses = belief.mixture[other] + belief.following[other].mixture[own]
        concealed += share * float(guesses)
    # By symmetry the best θ is 0; an adaptation to the other side is one in the other direction.
    return [
        {"coin": "shows itself", "adapted": adapted_value(game, 0.0, step=step), **_guesses(game, belief.value)},
        {"coin": "conceals itself", "adapted": adapted_value(game, 0.0, step=-step), **_guesses(game, concealed)},
    ]


def _guesses(game: Coins, by_belief: float) -> dict[str, float]:
    return {"fixed": bayesian_value(game), "by belief": by_belief}


def _best(adapting: Tensor, fixed: Tensor) -> dict[str, float]:
    return {"best": float(adapting.max()), "best fixed": float(fixed.max())}


def _prior(shares: Floats) -> Matrix:
    return torch.from_numpy(np.stack([shares, 1 - shares]))


def evaluate(case: Case, thetas: Vector, *, adapts: bool) -> Vector:
    """Return the leader's mean payoff for each of `[strategies]`."""
    weights = torch.tensor([each.weight for each in case.true], dtype=torch.float64)
    worth: Vector = weights / weights.sum() @ _by_type(case, thetas, adapts=adapts)
    return worth


def _by_type(case: Case, thetas: Vector, *, adapts: bool) -> Matrix:
    """Return the leader's payoff against each type, `[types, strategies]`, after its answer."""
    if not adapts:
        return torch.stack([_payoff(kind, thetas) for kind in case.true])
    return torch.stack([_adapted_payoff(case, kind, thetas) for kind in case.true])


def _adapted_payoff(case: Case, kind: FollowerType, thetas: Vector) -> Vector:
    """Return the payoff after the adaptation that harms the leader most, of those that the type can bring about."""
    options = [_settled_payoff(kind, kind, thetas)]
    if case.conduct == "another":
        options += [_settled_payoff(kind, other, thetas) for other in case.true if other is not kind]
    if case.conduct == "anything":
        options += [_payoff(kind, _adapt(kind, thetas, torch.full_like(thetas, phi))) for phi in MISLEADING]
    return torch.stack(options).min(dim=0).values


def _settled_payoff(kind: FollowerType, shown: FollowerType, thetas: Vector) -> Vector:
    """Return the payoff where the leader has adapted to what is shown, the mean of the last two alternations."""
    phi, payoffs = shown.answer(thetas), []
    for _ in range(ALTERNATIONS):
        ends = _adapt(shown, thetas, phi)
        phi = shown.answer(ends)
        payoffs.append(_payoff(kind, ends))
    return torch.stack(payoffs[-2:]).mean(dim=0)


def _adapt(kind: FollowerType, thetas: Vector, phi: Vector) -> Vector:
    """Return where each strategy adapts to; all are adapted at once, since payoffs add up."""
    return adapt_leader(make_tasks([kind])[0], thetas, phi, ADAPTATION, stream(0, "unused")).end


def _payoff(kind: FollowerType, thetas: Vector) -> Vector:
    payoffs: Vector = vmap(kind.leader)(thetas[:, None], kind.answer(thetas)[:, None])
    return payoffs
