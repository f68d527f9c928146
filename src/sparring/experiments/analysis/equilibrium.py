"""The empirical game of a sweep: attackers choose an attack, the server commits to a mixture of defenses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sparring.arrays import briefly
from sparring.errors import ConfigError
from sparring.experiments.analysis.frames import axes_of
from sparring.experiments.analysis.statistics import CONFIDENCE
from sparring.experiments.sweeps.axes import ATTACK, DEFENSE, SEED
from sparring.games.exact.zero_sum import solve_zero_sum
from sparring.random import stream
from sparring.validation import check_counts

RESAMPLES = 1000
FEWEST = 3
"""With fewer common seeds there are no intervals."""

Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """How much the parts of the payoff count."""

    accuracy: float = 1.0
    backdoor: float = 1.0


EVEN = Weights()


@dataclass(frozen=True, eq=False)
class PayoffTable:
    """The attackers' payoffs, `[seeds, attacks, defenses]`: what the server loses."""

    attacks: tuple[str, ...]
    defenses: tuple[str, ...]
    seeds: tuple[int, ...]
    payoffs: Floats

    __repr__ = briefly

    @property
    def mean(self) -> Floats:
        """The mean over seeds."""
        return np.asarray(self.payoffs.mean(axis=0))


class GameEstimate(NamedTuple):
    """A number and its 95 % interval; with few seeds there is none."""

    value: float
    low: float | None = None
    high: float | None = None


class DefenseEntry(NamedTuple):
    """One fixed defense in the game."""

    weight: GameEstimate
    """Its probability in the server's mixture."""
    worst: GameEstimate
    """The attackers' payoff if the server commits to it alone."""
    exploitability: GameEstimate
    """By how much that exceeds the value of the game."""
    worst_attack: str
    best_in: float | None
    """The share of resamples in which it is the best single defense."""


@dataclass(frozen=True)
class EmpiricalGame:
    """The equilibrium of a payoff table."""

    table: PayoffTable
    value: GameEstimate
    """What attackers gain if both sides mix."""
    attacks: Mapping[str, GameEstimate]
    """The probability of each attack in the attackers' mixture."""
    defenses: Mapping[str, DefenseEntry]

    __repr__ = briefly

    @property
    def commitment(self) -> str:
        """The best single defense to commit to: the one with the smallest worst payoff."""
        return min(self.defenses, key=lambda name: self.defenses[name].worst.value)


def tabulate_payoffs(
    runs: pd.DataFrame, *, weights: Weights = EVEN, average: bool = False, without: Collection[str] = ()
) -> PayoffTable:
    """Return the payoffs of a frame whose only axes are attack and defense.

    A payoff is accuracy weight · (1 − accuracy) + backdoor weight · backdoor accuracy, after the last round or averaged
    over rounds; runs without a backdoor have a backdoor accuracy of 0. Seeds are those that all cells have in common.
    """
    _check_weights(weights)
    if set(axes_of(runs)) != {ATTACK, DEFENSE}:
        raise ConfigError(
            f"game: the axes are {', '.join(axes_of(runs)) or 'none'}; it needs a sweep over attacks and defenses"
        )
    unknown = set(without) - {str(label) for axis in (ATTACK, DEFENSE) for label in runs[axis].cat.categories}
    if unknown:
        raise ConfigError(f"--without {min(unknown)}: no attack or defense of the sweep has this label")
    prefix = "average_" if average else ""
    accuracy, backdoor = (runs[f"{prefix}{metric}"] for metric in ("accuracy", "backdoor_accuracy"))
    payoff = weights.accuracy * (1 - accuracy) + weights.backdoor * backdoor.fillna(0)
    wide = payoff.set_axis(pd.MultiIndex.from_frame(runs[[SEED, ATTACK, DEFENSE]].astype({ATTACK: str, DEFENSE: str})))
    attacks, defenses = (
        tuple(label for label in map(str, runs[axis].cat.categories) if label not in without)
        for axis in (ATTACK, DEFENSE)
    )
    cells = pd.MultiIndex.from_product([attacks, defenses])
    by_seed = wide.unstack([ATTACK, DEFENSE]).reindex(columns=cells)
    _check_complete(by_seed)
    common = by_seed.dropna()
    shape = (len(common), len(attacks), len(defenses))
    return PayoffTable(attacks, defenses, tuple(map(int, common.index)), common.to_numpy().reshape(shape))


def solve_game(table: PayoffTable, *, resamples: int = RESAMPLES) -> EmpiricalGame:
    """Return the equilibrium of the mean payoffs, with intervals by resampling the seeds of the whole table.

    The intervals are expanded percentile bootstrap intervals (Hesterberg, 2015).
    """
    check_counts("game", resamples=resamples)
    center = _measure(table.mean)
    drawn = [_measure(table.payoffs[rows].mean(axis=0)) for rows in _draw_seeds(len(table.seeds), resamples)]
    value, attacks, weights, worst = (
        _estimates(getattr(center, field), [getattr(each, field) for each in drawn], seeds=len(table.seeds))
        for field in ("value", "attacks", "weights", "worst")
    )
    gaps = _estimates(
        center.worst - center.value, [each.worst - each.value for each in drawn], seeds=len(table.seeds), least=0.0
    )
    best = np.bincount([int(each.worst.argmin()) for each in drawn], minlength=len(table.defenses)) if drawn else None
    return EmpiricalGame(
        table,
        value[0],
        dict(zip(table.attacks, attacks, strict=True)),
        {
            name: DefenseEntry(
                weights[index],
                worst[index],
                gaps[index],
                table.attacks[int(table.mean[:, index].argmax())],
                None if best is None else float(best[index] / len(drawn)),
            )
            for index, name in enumerate(table.defenses)
        },
    )


class _Measured(NamedTuple):
    value: Floats
    attacks: Floats
    weights: Floats
    worst: Floats


def _measure(payoffs: Floats) -> _Measured:
    solved = solve_zero_sum(payoffs)
    return _Measured(np.array([solved.value]), solved.rows, solved.columns, payoffs.max(axis=0))


def _draw_seeds(count: int, resamples: int) -> Sequence[NDArray[np.int64]]:
    """Draw the seeds of each resample; none if there are too few."""
    return [] if count < FEWEST else list(stream(0, "game").integers(count, size=(resamples, count)))


def _estimates(center: Floats, drawn: Sequence[Floats], *, seeds: int, least: float = -np.inf) -> list[GameEstimate]:
    if not drawn:
        return [GameEstimate(float(value)) for value in center]
    tail = float(stats.norm.cdf(-sqrt(seeds / (seeds - 1)) * stats.t.ppf((1 + CONFIDENCE) / 2, seeds - 1)))
    low, high = np.quantile(np.stack(drawn), [tail, 1 - tail], axis=0)
    ends = zip(center, np.minimum(low, center), np.maximum(high, center), strict=True)
    return [GameEstimate(float(value), max(least, float(below)), float(above)) for value, below, above in ends]


def _check_weights(weights: Weights) -> None:
    for name, weight in weights._asdict().items():
        if not 0 <= weight < np.inf:
            raise ConfigError(f"--{name}-weight is {weight:g}; it must be at least 0")
    if not any(weights):
        raise ConfigError("--accuracy-weight and --backdoor-weight are both 0; give one of them a weight above 0")


def _check_complete(by_seed: pd.DataFrame) -> None:
    """Reject a table with a cell without a run, or without a seed that all cells have."""
    lost = by_seed.columns[by_seed.isna().all()].tolist()
    if lost:
        attack, defense = map(str, lost[0])
        raise ConfigError(
            f"game: no run of {attack} against {defense} is complete; resume the sweep, or leave one out by --without "
            f"{defense}"
        )
    if by_seed.dropna().empty:
        raise ConfigError("game: the cells have no seed in common; resume the sweep")
