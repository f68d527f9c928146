"""Zero-sum matrix games: their value and the mixtures of both sides, by linear programs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from sparring.errors import ConfigError

Table = NDArray[np.float64]

PRECISION = 1e-10
"""The solver's smallest tolerance."""
NEGLIGIBLE = 1e-9
"""Probabilities below this are 0, and a mixture may lose this much by being more even."""


class ZeroSumSolution(NamedTuple):
    """An equilibrium of a game in which the rows' player gets the payoff and the columns' player pays it."""

    value: float
    rows: Table
    """The probability of each row."""
    columns: Table
    """The probability of each column."""


def solve_zero_sum(payoffs: Table) -> ZeroSumSolution:
    """Return the equilibrium of finite payoffs `[rows, columns]` with the most even mixtures.

    If a side has several optimal mixtures, the one whose largest probability is smallest is returned.
    """
    payoffs = np.asarray(payoffs, dtype=np.float64)
    if payoffs.ndim != 2 or 0 in payoffs.shape or not np.isfinite(payoffs).all():
        raise ConfigError(f"zero-sum game: payoffs of shape {list(payoffs.shape)}; give finite [rows, columns]")
    scale = max(float(np.ptp(payoffs)), np.finfo(np.float64).tiny)
    unit = (payoffs - payoffs.min()) / scale
    columns = _safest(unit)
    rows = _safest(1 - unit.T)
    return ZeroSumSolution(float(rows @ payoffs @ columns), rows, columns)


def worst_payoffs(payoffs: Table, columns: Table) -> float:
    """Return what the best row gains against a mixture of columns."""
    return float((payoffs @ columns).max())


def exploitability(payoffs: Table, solution: ZeroSumSolution) -> float:
    """Return what both sides together gain by best responses; 0 in an equilibrium."""
    return worst_payoffs(payoffs, solution.columns) + worst_payoffs(-payoffs.T, solution.rows)


def _safest(losses: Table) -> Table:
    """Return the mixture of columns whose largest loss over rows is smallest, the most even one of several."""
    count = losses.shape[1]
    level = _minimize_largest(losses, np.zeros((0, count)), np.zeros(0))
    bound = float((losses @ level).max())
    even = _minimize_largest(np.eye(count), losses, np.full(len(losses), bound))
    return even if (losses @ even).max() <= bound + NEGLIGIBLE / 4 else level


def _minimize_largest(rows: Table, below: Table, bounds: Table) -> Table:
    """Return the mixture p that minimizes the largest of `rows` @ p, subject to `below` @ p <= `bounds`."""
    count = rows.shape[1]
    within = np.vstack([np.column_stack([rows, -np.ones(len(rows))]), np.column_stack([below, np.zeros(len(below))])])
    solved = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=within,
        b_ub=np.append(np.zeros(len(rows)), bounds),
        A_eq=np.append(np.ones(count), 0.0)[None],
        b_eq=np.ones(1),
        bounds=[(0, None)] * count + [(None, None)],
        options={"primal_feasibility_tolerance": PRECISION, "dual_feasibility_tolerance": PRECISION},
    )
    assert solved.x is not None, solved.message
    mixture = np.where(solved.x[:count] < NEGLIGIBLE, 0.0, solved.x[:count])
    return np.asarray(mixture / mixture.sum())
