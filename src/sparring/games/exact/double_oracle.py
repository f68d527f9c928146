"""The double oracle: an equilibrium of a game too large to tabulate (McMahan, Gordon and Blum, 2003).

Both sides start with a few strategies. In each iteration the game of these is solved, and each side adds its best
response to the mixture of the other.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from sparring.games.exact.zero_sum import Table, ZeroSumSolution, solve_zero_sum, worst_payoffs

Row = TypeVar("Row")
Column = TypeVar("Column")

Mixture = Sequence[tuple[Row, float]]
"""Strategies with their probabilities, those above 0."""


class Oracles(NamedTuple, Generic[Row, Column]):
    """What the double oracle needs of a game in which the rows' player gets the payoff."""

    payoff: Callable[[Row, Column], float]
    answer_columns: Callable[[Mixture[Column]], Row]
    """The rows' best response to a mixture of columns."""
    answer_rows: Callable[[Mixture[Row]], Column]
    """The columns' best response to a mixture of rows."""


class Iterate(NamedTuple, Generic[Row, Column]):
    """The game of the strategies found so far, and what best responses gain beyond it."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    payoffs: Table
    solution: ZeroSumSolution
    row_gain: float
    """What the rows' best response gains beyond the value; it exploits the columns' mixture."""
    column_gain: float

    @property
    def exploitability(self) -> float:
        """What both best responses gain together; with oracles that learn, a lower bound."""
        return self.row_gain + self.column_gain


def play_double_oracle(
    oracles: Oracles[Row, Column], *, rows: Sequence[Row], columns: Sequence[Column], tolerance: float = 1e-9
) -> Iterator[Iterate[Row, Column]]:
    """Yield one iterate after another until no best response gains more than `tolerance`.

    A response that gains no more than this is not added. `payoff` is asked for each response against all strategies.
    """
    payoffs = np.array([[oracles.payoff(row, column) for column in columns] for row in rows])
    while True:
        solution = solve_zero_sum(payoffs)
        row = oracles.answer_columns(_mixture(columns, solution.columns))
        column = oracles.answer_rows(_mixture(rows, solution.rows))
        new_row = np.array([oracles.payoff(row, each) for each in columns])
        new_column = np.array([oracles.payoff(each, column) for each in rows])
        row_gain = worst_payoffs(new_row[None], solution.columns) - solution.value
        column_gain = solution.value - worst_payoffs(new_column[None], solution.rows)
        yield Iterate(tuple(rows), tuple(columns), payoffs, solution, max(0.0, row_gain), max(0.0, column_gain))
        adds_row, adds_column = row_gain > tolerance, column_gain > tolerance
        if not (adds_row or adds_column):
            return
        if adds_row:
            rows, payoffs = (*rows, row), np.vstack([payoffs, new_row])
        if adds_column:
            last = [oracles.payoff(row, column)] if adds_row else []
            columns, payoffs = (*columns, column), np.column_stack([payoffs, [*new_column, *last]])


def _mixture(strategies: Sequence[Row], probabilities: Table) -> Mixture[Row]:
    return [(each, float(p)) for each, p in zip(strategies, probabilities, strict=True) if p > 0]
