"""The constants of Li et al.'s theorem 1 (2022) for federated averaging of regularized logistic regression.

They hold for all models within the reachable radius and all examples up to the longest norm: the loss decreases in z·w,
so it is steepest, in the model and in the example, where the two point in opposite directions.
"""

from math import exp, sqrt

import torch

from sparring.arrays import Matrix
from sparring.games.exact import Averaging, radius
from sparring.learning.distribution.measures import wasserstein
from sparring.learning.theory.attack_bound import Ingredients


def ingredients(game: Averaging, estimate: Matrix) -> Ingredients:
    """Compute all constants of the theorem, for attackers that train on `estimate`."""
    length = longest(game, estimate)
    reached = radius(game, length)
    steepest = 1 / (1 + exp(-reached * length))
    by_model, by_example = steepest * length + game.penalty * reached, steepest * reached
    return Ingredients(
        lipschitz=sqrt(by_model**2 + by_example**2),
        cross_smoothness=steepest + reached * length / 4,
        convexity=game.penalty,
        smoothness=game.penalty + length**2 / 4,
        distance=max(wasserstein(estimate, shard) for shard in game.shards),
        benign=game.share,
        lr=game.lr,
        steps=game.rounds,
    )


def largest_difference(game: Averaging, estimate: Matrix) -> float:
    """Return the largest difference in loss of two reachable models; only a bound below it is informative."""
    length = longest(game, estimate)
    reached = radius(game, length)
    return reached * length + game.penalty / 2 * reached**2


def longest(game: Averaging, estimate: Matrix) -> float:
    """Return the largest norm of an example, true or estimated."""
    parts = (game.shards, game.own, estimate)
    return max(float(torch.linalg.vector_norm(part, dim=-1).max()) for part in parts)
