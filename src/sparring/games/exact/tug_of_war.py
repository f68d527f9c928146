"""A scalar regression that an attacker and a defender pull at; the expected loss is an integral with a closed form.

The model is y = θx, the truth y = θ*x, and a minibatch is one x, uniform on (0, reach]. Its label moves with it, so a
step of gradient descent multiplies θ - θ* by 1 - 2ηx² (appendix A.2.1). Each player moves x by ε to the left or right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.special import xlogy

from sparring.errors import ConfigError
from sparring.games.exact.matrix import Table
from sparring.random import Generator
from sparring.validation import positive

LEVELS = 3
"""Levels 0, 1 and 2; every higher level plays as level 2."""


@dataclass(frozen=True)
class TugOfWar:
    """The game with the constants of figure 3 as defaults."""

    eta: float = 0.2
    """η: the learner's step along the gradient of the squared error."""
    epsilon: float = 0.1
    """ε: how far each player moves x."""
    optimum: float = 20.0
    """θ*"""
    start: float = -10.0
    """θ₀"""
    validation: float = 50.0
    """z, the only validation example."""
    reach: float = 2.0
    """The largest x."""
    rounds: int = 30

    def __post_init__(self) -> None:
        positive("tug of war", eta=self.eta, epsilon=self.epsilon, reach=self.reach)
        if self.rounds < 0 or not all(abs(each) < inf for each in (self.optimum, self.start, self.validation)):
            raise ConfigError(f"{self} cannot be played; use rounds >= 0 and finite numbers")

    def expected_losses(self) -> Table:
        """Return the expected validation loss after the last round, `[attacker's level, defender's level]`."""
        return self._start_loss() * self._means(self._integral_of_square) ** self.rounds

    def typical_losses(self) -> Table:
        """Return the exponential of the expected logarithm of that loss: about the median of single plays.

        It lies far below the expected loss, which a few rare plays decide.
        """
        return self._start_loss() * np.exp(self.rounds * self._means(self._integral_of_log))

    def step(self, theta: float, inputs: Table, *, attack: int, defense: int) -> Table:
        """Return θ after one round on each of the `inputs`, with the players' levels."""
        return self.optimum + (theta - self.optimum) * self._factor(self._played(inputs, attack, defense))

    def slope(self, theta: float, inputs: Table, *, level: int) -> Table:
        """Return the gradient of the utility in x, as a level-1 or a level-2 player sees it (appendix A.2.1)."""
        scale = 8 * self.eta * ((self.optimum - theta) * self.validation) ** 2
        return -scale * self._pull(inputs, level)

    def simulate(self, rng: Generator, *, plays: int) -> Table:
        """Return the final validation losses of simulated plays, `[attacker's level, defender's level, plays]`.

        All nine games are played on the same inputs. Even the mean of many plays is far from the expected loss: it is a
        product of heavy-tailed factors.
        """
        products = np.ones((LEVELS, LEVELS, plays))
        for _ in range(self.rounds):
            inputs = self.reach * (1 - rng.random(plays))
            for attack, defense in np.ndindex(LEVELS, LEVELS):
                products[attack, defense] *= self._factor(self._played(inputs, attack, defense))
        return self._start_loss() * products**2

    def _start_loss(self) -> float:
        return ((self.start - self.optimum) * self.validation) ** 2

    def _factor(self, played: Table) -> Table:
        """Return what a step multiplies θ - θ* by; negative where the step goes beyond θ*."""
        return 1 - 2 * self.eta * played**2

    def _turn(self) -> float:
        """Return the input above which a step goes beyond the optimum."""
        return 1 / sqrt(2 * self.eta)

    def _direction(self, inputs: Table, level: int) -> Table:
        """Return the direction in which a longer step brings θ nearer to the optimum, as a level sees it."""
        return np.sign(self._pull(inputs, level))

    def _pull(self, inputs: Table, level: int) -> Table:
        """Return how strongly a longer x brings θ nearer to the optimum, but for a factor."""
        if level == 0:
            return np.zeros_like(inputs)
        return inputs if level == 1 else self._factor(inputs) * inputs

    def _played(self, inputs: Table, attack: int, defense: int) -> Table:
        attacked = inputs - self.epsilon * self._direction(inputs, attack)
        return attacked + self.epsilon * self._direction(attacked, defense)

    def _means(self, antiderivative: Callable[[Table], Table]) -> Table:
        """Return the mean over x of the function of the played input whose antiderivative is given, for all levels."""
        turn, epsilon = self._turn(), self.epsilon
        # Between these inputs both players move in a constant direction.
        cuts = {0, self.reach, turn, epsilon, turn + epsilon, abs(turn - epsilon)}
        edges = np.array(sorted(cut for cut in cuts if 0 <= cut <= self.reach), dtype=np.float64)
        middles = (edges[1:] + edges[:-1]) / 2
        means = np.empty((LEVELS, LEVELS))
        for attack, defense in np.ndindex(LEVELS, LEVELS):
            shifts = self._played(middles, attack, defense) - middles
            pieces = antiderivative(edges[1:] + shifts) - antiderivative(edges[:-1] + shifts)
            means[attack, defense] = pieces.sum() / self.reach
        return means

    def _integral_of_square(self, played: Table) -> Table:
        """Return the antiderivative of (1 - 2ηx²)²."""
        return played - 4 * self.eta * played**3 / 3 + 4 * self.eta**2 * played**5 / 5

    def _integral_of_log(self, played: Table) -> Table:
        """Return the antiderivative of log (1 - 2ηx²)², whose singularities are integrable."""
        below, above = 1 - played / self._turn(), 1 + played / self._turn()
        return 2 * self._turn() * (xlogy(above, abs(above)) - above - xlogy(below, abs(below)) + below)


def pure_saddles(losses: Table) -> list[tuple[int, int]]:
    """Return the cells that are largest in their column, which the attacker chooses in, and smallest in their row."""
    is_saddle = (losses == losses.max(axis=0)) & (losses == losses.min(axis=1, keepdims=True))
    return [(int(row), int(column)) for row, column in np.argwhere(is_saddle)]
