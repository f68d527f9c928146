"""A coin of hidden type is guessed several times; the value of every solution is a formula.

Heads-types show heads, tails-types show tails; each right guess counts 1, and the coin is seen after each round. The
leader guesses heads with probability σ(θ), its one parameter.
"""

from dataclasses import dataclass
from math import comb, exp

import numpy as np

from sparring.errors import ConfigError
from sparring.games.exact.matrix import MatrixGame, Table

HEADS, TAILS = 0, 1


@dataclass(frozen=True)
class Coins:
    """A game against one of two types."""

    prior: float = 0.5
    """The probability of the heads-type."""
    rounds: int = 2
    reliability: float = 1.0
    """The probability that a coin shows its type's side in a round, at least one half."""

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1 or not 0.5 <= self.reliability <= 1 or self.rounds < 1:
            raise ConfigError(f"{self} cannot be played; use 0 < prior < 1, rounds >= 1 and 0.5 <= reliability <= 1")

    @property
    def stage(self) -> MatrixGame:
        """One round as a matrix game in which types prefer their own side; the leader's payoffs are expected ones."""
        right, wrong = self.reliability, 1 - self.reliability
        leader = np.array([[right, wrong], [wrong, right]])
        follower = np.array([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2])
        return MatrixGame(np.stack([leader, leader]), follower, np.array([self.prior, 1 - self.prior]))

    @property
    def shown(self) -> Table:
        """The probability of each side that is seen, `[chosen, seen]`."""
        right, wrong = self.reliability, 1 - self.reliability
        return np.array([[right, wrong], [wrong, right]])


def bayesian_value(game: Coins) -> float:
    """Return the value without adaptation: the more frequent side in every round."""
    heads = _chance_of_heads(game, game.prior)
    return game.rounds * max(heads, 1 - heads)


def perfect_bayesian_value(game: Coins) -> float:
    """Return the value of guessing by belief, the sum over rounds and over how many heads have been seen."""
    right, wrong = game.reliability, 1 - game.reliability
    total = 0.0
    for seen in range(game.rounds):
        for heads in range(seen + 1):
            tails = seen - heads
            by_heads = game.prior * comb(seen, heads) * right**heads * wrong**tails
            by_tails = (1 - game.prior) * comb(seen, heads) * wrong**heads * right**tails
            next_heads = by_heads * right + by_tails * wrong
            total += max(next_heads, by_heads + by_tails - next_heads)
    return total


def type_value(game: Coins, theta: float, *, side: int) -> float:
    """Return J(θ), the expected number of right guesses against one type."""
    guessed = _sigmoid(theta if side == HEADS else -theta)
    return game.rounds * (game.reliability * guessed + (1 - game.reliability) * (1 - guessed))


def adapted_value(game: Coins, theta: float, *, step: float) -> float:
    """Return E J(θ + η J'(θ)), the value after one exact gradient step towards the type; η is `step`.

    With equal types it is largest at θ = 0, for every η: 2σ(η/2) for two rounds of coins that always show their type.
    It is counted after adaptation, so it may exceed the perfect Bayesian value, which pays for learning the type.
    """
    slope = game.rounds * (2 * game.reliability - 1) * _sigmoid(theta) * _sigmoid(-theta)
    heads = type_value(game, theta + step * slope, side=HEADS)
    return game.prior * heads + (1 - game.prior) * type_value(game, theta - step * slope, side=TAILS)


def _chance_of_heads(game: Coins, belief: float) -> float:
    return belief * game.reliability + (1 - belief) * (1 - game.reliability)


def _sigmoid(theta: float) -> float:
    return 1 / (1 + exp(-theta))
