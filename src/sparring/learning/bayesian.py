"""A leader against a hidden type, round after round: committed once, or playing by its belief (MSG, appendix G).

The types answer each round's mixture with a best answer of the stage game, in the leader's favor where they are
indifferent. How much a type would gain by concealing itself is computed beside.
"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.games.exact.matrix import Columns, MatrixGame, Table, answer_profiles, best_against, strong_stackelberg

MOMENTS = 100_000
"""Maximum number of beliefs that a game can lead to."""


@dataclass(frozen=True, eq=False)
class RepeatedGame:
    """A matrix game that is played several times against the same type; after each round the leader sees a signal."""

    stage: MatrixGame
    rounds: int
    signals: Table
    """The probability of each signal given the type's column, `[columns, signals]`; the identity shows the column."""

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ConfigError(f"repeated game: rounds is {self.rounds}; it must be at least 1")
        columns = len(self.stage.columns)
        if self.signals.ndim != 2 or len(self.signals) != columns or not np.allclose(self.signals.sum(axis=1), 1):
            raise ConfigError(f"repeated game: signals must be {columns} rows of probabilities that sum to 1")


class Moment(NamedTuple):
    """What the leader does under a belief, and the moments that the signals lead to."""

    belief: Table
    """The probability of each type."""
    mixture: Table
    answers: Columns
    """The column of each type."""
    value: float
    """The leader's expected payoff in this round and all later ones."""
    following: tuple["Moment", ...] = ()
    """By signal; empty after the last round."""


def bayesian_stackelberg(game: RepeatedGame) -> float:
    """Return the value of one mixture for all rounds and types, without adaptation (BSE)."""
    return game.rounds * strong_stackelberg(game.stage).value


def update_belief(belief: Table, likelihood: Table) -> Table:
    """Return the belief after a signal that each type gives with this likelihood (G1).

    A signal that no type gives leaves the belief as it is.
    """
    joint = belief * likelihood
    return joint / joint.sum() if joint.sum() > 0 else belief


def perfect_bayesian(game: RepeatedGame) -> Moment:
    """Return the play by belief with the highest value, by exact backward induction over beliefs.

    For a given profile of answers the belief's course does not depend on the mixture, so that the best mixture is that
    of the stage: one linear program for each profile and belief.
    """
    stage = game.stage
    feasible = [each for each in answer_profiles(stage) if best_against(stage, each, stage.prior) is not None]
    moments = sum((len(feasible) * game.signals.shape[1]) ** played for played in range(game.rounds))
    if moments > MOMENTS:
        raise ConfigError(
            f"perfect bayesian: the game leads to {moments} beliefs; use one of fewer rounds, at most {MOMENTS}"
        )
    return _best_moment(game, stage.prior, feasible, left=game.rounds)


def _best_moment(game: RepeatedGame, belief: Table, feasible: list[Columns], *, left: int) -> Moment:
    best = Moment(belief, np.empty(0), (), -inf)
    for answers in feasible:
        solved = best_against(game.stage, answers, belief)
        assert solved is not None  # whether it is feasible does not depend on the belief
        likelihoods = game.signals[list(answers)].T
        following: tuple[Moment, ...] = ()
        if left > 1:
            beliefs = (update_belief(belief, likelihood) for likelihood in likelihoods)
            following = tuple(_best_moment(game, each, feasible, left=left - 1) for each in beliefs)
        later = sum(float(belief @ likelihoods[signal]) * each.value for signal, each in enumerate(following))
        if solved[0] + later > best.value:
            best = Moment(belief, solved[1], answers, solved[0] + later, following)
    return best


def concealment_gains(game: RepeatedGame, start: Moment) -> Table:
    """Return how much each type gains, at most, by answers that are not the stage's best, given the leader's play.

    Zeros mean that the play is a perfect Bayesian equilibrium also of types that look ahead.
    """
    return np.array([_gain(game, start, kind, freely=True) - _gain(game, start, kind) for kind in game.stage.types])


def _gain(game: RepeatedGame, moment: Moment, kind: int, *, freely: bool = False) -> float:
    """Return a type's payoff from the answers of the play, or from its best ones over all rounds."""
    later = np.zeros(game.signals.shape[1])
    for signal, each in enumerate(moment.following):
        later[signal] = _gain(game, each, kind, freely=freely)
    gains: Table = moment.mixture @ game.stage.follower[kind] + game.signals @ later
    return float(gains.max() if freely else gains[moment.answers[kind]])
