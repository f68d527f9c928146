"""Bayesian matrix games of a leader against followers of hidden type, solved by linear programs.

The leader draws a row from a mixture, the follower of a type drawn from the prior answers with a column. A game of one
type is an ordinary bimatrix game.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sparring.arrays import briefly
from sparring.errors import ConfigError

Table = NDArray[np.float64]
Columns = tuple[int, ...]

TOLERANCE = 1e-9
"""Payoffs that differ by less are equal."""
PROFILES = 100_000
"""Maximum number of combinations of the types' answers, or sets of answers, that are looked through."""


@dataclass(frozen=True, eq=False)
class MatrixGame:
    """The payoffs of every type, `[types, rows, columns]`, and the prior over types."""

    leader: Table
    follower: Table
    prior: Table

    __repr__ = briefly

    def __post_init__(self) -> None:
        if self.leader.ndim != 3 or self.leader.shape != self.follower.shape or 0 in self.leader.shape:
            given = f"{list(self.leader.shape)} and {list(self.follower.shape)}"
            raise ConfigError(f"matrix game: the payoffs are {given}; both must be [types, rows, columns]")
        if self.prior.shape != self.leader.shape[:1] or self.prior.min() < 0 or abs(self.prior.sum() - 1) > TOLERANCE:
            raise ConfigError(
                f"matrix game: the prior is {self.prior.tolist()}; it must be {len(self.leader)} shares that sum to 1"
            )

    @property
    def types(self) -> range:
        return range(self.leader.shape[0])

    @property
    def rows(self) -> int:
        return int(self.leader.shape[1])

    @property
    def columns(self) -> range:
        return range(self.leader.shape[2])


class Commitment(NamedTuple):
    """What the leader commits to, the columns that each type may answer with, and the leader's value."""

    value: float
    mixture: Table
    """The probability of each row."""
    answers: tuple[Columns, ...]


class NashValues(NamedTuple):
    """The leader's values in the best and in the worst of all equilibria for it."""

    best: float
    worst: float


def value(game: MatrixGame, mixture: Table, *, pessimistic: bool = False) -> float:
    """Return the leader's value of a mixture; types that are indifferent answer in its favor, or to its harm."""
    gains, wants = (np.einsum("r,trc->tc", mixture, payoffs) for payoffs in (game.leader, game.follower))
    is_best = wants >= wants.max(axis=1, keepdims=True) - TOLERANCE
    chosen = np.where(is_best, gains, np.inf).min(axis=1) if pessimistic else np.where(is_best, gains, -np.inf).max(1)
    return float(game.prior @ chosen)


def pure_commitment(game: MatrixGame, *, pessimistic: bool = False) -> Commitment:
    """Return the best single row to commit to."""
    values = [value(game, row, pessimistic=pessimistic) for row in np.eye(game.rows)]
    best = np.eye(game.rows)[int(np.argmax(values))]
    wants = np.einsum("r,trc->tc", best, game.follower)
    answers = (np.flatnonzero(each >= each.max() - TOLERANCE) for each in wants)
    return Commitment(max(values), best, tuple(tuple(each.tolist()) for each in answers))


def strong_stackelberg(game: MatrixGame) -> Commitment:
    """Return the best mixture to commit to if indifferent types answer in the leader's favor.

    One linear program for each profile of pure answers (Conitzer and Sandholm, 2006).
    """
    return _best(_favored(game, profile) for profile in answer_profiles(game))


def pessimistic_stackelberg(game: MatrixGame) -> Commitment:
    """Return the supremum of what the leader gets if indifferent types answer to its harm.

    Mixtures come as close to it as one likes; the one returned is their limit, where `value` may be lower. For each
    profile of sets of columns, the mixtures to which exactly these are the best answers form a convex set, on which
    the leader gets the worst of them: a concave function, whose supremum is its maximum over the closure.
    """
    return _best(_worst_of(game, profile) for profile in _set_profiles(game) if _is_reached(game, profile))


def nash_values(game: MatrixGame) -> NashValues:
    """Return the leader's extreme values over all Bayesian Nash equilibria, in which nobody commits.

    For each choice of columns that types may use, and of rows that the leader may use, there is one linear program for
    the leader's mixture and one for the types'.
    """
    found = []
    for rows in _subsets(range(game.rows)):
        for profile in _set_profiles(game):
            if _rationalizes(game, profile, rows=rows):
                found += [each for sign in (1, -1) if (each := _answered(game, profile, rows, sign=sign)) is not None]
    return NashValues(max(found), min(found))


def answer_profiles(game: MatrixGame) -> Iterator[Columns]:
    """Yield every profile of one column for each type."""
    _check_number(len(game.columns) ** len(game.types))
    return product(game.columns, repeat=len(game.types))


def best_against(game: MatrixGame, profile: Columns, weights: Table) -> tuple[float, Table] | None:
    """Return the best mixture to which these columns are best answers, and its value if the types have these weights.

    None if there is no such mixture.
    """
    gain = sum(weight * game.leader[kind, :, profile[kind]] for kind, weight in enumerate(weights))
    below, equal = _incentives(game, [(column,) for column in profile])
    return _maximize(np.asarray(gain), below=below, equal=equal, sums=np.ones((1, game.rows)))


def _best(solved: Iterable[Commitment | None]) -> Commitment:
    return max((each for each in solved if each is not None), key=lambda each: each.value)


def _favored(game: MatrixGame, profile: Columns) -> Commitment | None:
    solved = best_against(game, profile, game.prior)
    return None if solved is None else Commitment(*solved, tuple((column,) for column in profile))


def _worst_of(game: MatrixGame, profile: Sequence[Columns]) -> Commitment | None:
    """Maximize the worst of these answers over the closure of the mixtures to which they are the best ones.

    The variables are the mixture and, for each type, what the leader gets from it.
    """
    below, equal = (_widen(part, len(game.types)) for part in _incentives(game, profile))
    bounds = [
        np.concatenate([-game.leader[kind, :, column], np.eye(len(game.types))[kind]])
        for kind, columns in enumerate(profile)
        for column in columns
    ]
    gain = np.concatenate([np.zeros(game.rows), game.prior])
    sums = _widen(np.ones((1, game.rows)), len(game.types))
    solved = _maximize(gain, below=np.vstack([below, *bounds]), equal=equal, sums=sums, free=len(game.types))
    return None if solved is None else Commitment(solved[0], solved[1][: game.rows], tuple(profile))


def _is_reached(game: MatrixGame, profile: Sequence[Columns]) -> bool:
    """Say whether there is a mixture to which exactly these columns are the best answers."""
    below, equal = _incentives(game, profile)
    slack = np.concatenate([np.zeros(game.rows), [1.0]])
    # The slack is at most 1, the sum of the mixture.
    below = np.vstack([np.hstack([below, np.ones((len(below), 1))]), np.append(-np.ones(game.rows), 1.0)])
    solved = _maximize(slack, below=below, equal=_widen(equal, 1), sums=_widen(np.ones((1, game.rows)), 1), free=1)
    return solved is not None and solved[0] > TOLERANCE


def _rationalizes(game: MatrixGame, profile: Sequence[Columns], *, rows: Columns) -> bool:
    """Say whether a mixture of these rows makes all these columns best answers."""
    below, equal = _incentives(game, profile)
    unused = np.delete(np.eye(game.rows), rows, axis=0)
    return (
        _maximize(np.zeros(game.rows), below=below, equal=np.vstack([equal, unused]), sums=np.ones((1, game.rows)))
        is not None
    )


def _answered(game: MatrixGame, profile: Sequence[Columns], rows: Columns, *, sign: int) -> float | None:
    """Return the leader's largest value, or smallest if `sign` is -1, where types mix to make these rows best."""
    payoffs = np.hstack([weight * each for weight, each in zip(game.prior, game.leader, strict=True)])
    allowed = [column in columns for columns in profile for column in game.columns]
    excess = np.hstack([payoffs, -np.ones((game.rows, 1))])
    unused = _widen(np.delete(np.eye(len(allowed)), np.flatnonzero(allowed), axis=0), 1)
    sums = _widen(np.kron(np.eye(len(game.types)), np.ones((1, len(game.columns)))).astype(float), 1)
    gain = np.append(np.zeros(len(allowed)), float(sign))
    equal = np.vstack([excess[list(rows)], unused])
    solved = _maximize(gain, below=np.delete(excess, rows, axis=0), equal=equal, sums=sums, free=1)
    return None if solved is None else sign * solved[0]


def _incentives(game: MatrixGame, profile: Sequence[Columns]) -> tuple[Table, Table]:
    """Return the rows that are at most 0, and those that are 0, of mixtures to which these columns are best answers."""
    below, equal = [np.empty((0, game.rows))], [np.empty((0, game.rows))]
    for wants, columns in zip(game.follower, profile, strict=True):
        lacks = (wants - wants[:, columns[:1]]).T
        below.append(np.delete(lacks, columns, axis=0))
        equal.append(lacks[list(columns[1:])])
    return np.vstack(below), np.vstack(equal)


def _set_profiles(game: MatrixGame) -> Iterator[tuple[Columns, ...]]:
    _check_number((2 ** len(game.columns) - 1) ** len(game.types))
    return product(_subsets(game.columns), repeat=len(game.types))


def _subsets(of: range) -> list[Columns]:
    """Return all subsets but the empty one."""
    return list(chain.from_iterable(combinations(of, size) for size in range(1, len(of) + 1)))


def _check_number(profiles: int) -> None:
    if profiles > PROFILES:
        raise ConfigError(
            f"matrix game: the types have {profiles} profiles of answers; use a game with at most {PROFILES}"
        )


def _widen(rows: Table, columns: int) -> Table:
    """Append columns of zeros."""
    return np.hstack([rows, np.zeros((len(rows), columns))])


def _maximize(gain: Table, *, below: Table, equal: Table, sums: Table, free: int = 0) -> tuple[float, Table] | None:
    """Maximize `gain` @ z with `below` @ z <= 0, `equal` @ z = 0, `sums` @ z = 1; None if that is impossible.

    All numbers but the last `free` are at least 0.
    """
    solved = linprog(
        -gain,
        A_ub=below,
        b_ub=np.zeros(len(below)),
        A_eq=np.vstack([equal, sums]),
        b_eq=np.append(np.zeros(len(equal)), np.ones(len(sums))),
        bounds=[(0, None)] * (len(gain) - free) + [(None, None)] * free,
    )
    return None if solved.x is None else (float(gain @ solved.x), solved.x)
