"""The constants are tried on random models and examples of the domain, and at its far ends."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch.func import grad, jacrev, vmap

from sparring.games.exact import finals, loss, objective, radius
from sparring.games.exact.averaging import step_models
from sparring.learning.distribution.measures import wasserstein
from sparring.learning.theory.bound_constants import ingredients, largest_difference, longest
from sparring.random import stream
from tests.games.exact.averaging_games import averaging, examples

ESTIMATE = 1.2 * examples(5, 3, seed=7)
GAMES = pytest.mark.parametrize(
    "game", [averaging(), averaging(lr=2.0, penalty=0.4), averaging(reach=3.0, rounds=30, penalty=0.01)]
)


def in_ball(rng, rows, *, norm):
    """Draw rows of three numbers within a ball, half of them on its edge."""
    drawn = rng.standard_normal((rows, 3))
    lengths = np.where(rng.random(rows) < 0.5, 1.0, rng.random(rows))
    return torch.from_numpy(norm * lengths[:, None] * drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def domain(game, *, rows=2000):
    """Draw models and examples, some of them opposite to each other."""
    rng, length = stream(0, "domain"), longest(game, ESTIMATE)
    models, drawn = in_ball(rng, rows, norm=radius(game, length)), in_ball(rng, rows, norm=length)
    opposite = -length * models / models.norm(dim=1, keepdim=True)
    return models, torch.where(torch.arange(rows)[:, None] % 3 == 0, opposite, drawn)


def single(game):
    """Return the loss of one model on one example."""
    return lambda model, example: loss(model, example[None], penalty=game.penalty)


@GAMES
def test_the_loss_is_nowhere_steeper_than_said_and_somewhere_as_steep(game):
    models, drawn = domain(game)
    slopes = torch.cat(vmap(grad(single(game), argnums=(0, 1)))(models, drawn), dim=1).norm(dim=1)
    given = ingredients(game, ESTIMATE)
    assert slopes.max() <= given.lipschitz * (1 + 1e-9)
    assert slopes.max() >= 0.999 * given.lipschitz


@GAMES
def test_the_gradient_changes_with_the_example_no_faster_than_said(game):
    models, drawn = domain(game)
    mixed = vmap(jacrev(grad(single(game)), argnums=1))(models, drawn)
    given = ingredients(game, ESTIMATE)
    steepest = torch.linalg.matrix_norm(mixed, ord=2).max()
    assert 0.5 * given.cross_smoothness < steepest <= given.cross_smoothness


@GAMES
def test_the_curvature_lies_between_convexity_and_smoothness(game):
    models, drawn = domain(game)
    curvatures = torch.linalg.eigvalsh(vmap(jacrev(grad(single(game))))(models, drawn))
    given = ingredients(game, ESTIMATE)
    assert curvatures.min() >= given.convexity - 1e-9
    assert curvatures.max() <= given.smoothness + 1e-9


@GAMES
def test_losses_differ_by_no_more_than_said(game):
    models, drawn = domain(game)
    losses = vmap(single(game))(models, drawn)
    assert losses.max() - losses.min() <= largest_difference(game, ESTIMATE)


@GAMES
def test_a_round_brings_two_models_as_near_as_said(game):
    """K_F, for the same draws and the same malicious models."""
    rng = stream(1, "pairs")
    first, second = (in_ball(rng, 500, norm=radius(game, 1.0)) for _ in range(2))
    drawn, sent = game.shards[:, 0].double(), examples(3).double()
    moves = [step_models(game, each, drawn=drawn.expand(500, -1, -1), models=sent) for each in (first, second)]
    given = ingredients(game, ESTIMATE)
    factor = given.benign * max(abs(1 - given.lr * given.convexity), abs(1 - given.lr * given.smoothness))
    assert (torch.sub(*moves).norm(dim=1) <= factor * torch.sub(first, second).norm(dim=1) * (1 + 1e-6)).all()


@GAMES
def test_the_imagined_round_and_objective_are_as_near_to_the_true_ones_as_the_proof_says(game):
    """W1 of the next model is at most ε η L_z δ, the objectives differ by at most ε L δ: what theorem 1 adds up."""
    given, rng = ingredients(game, game.own), stream(2, "models")
    models = in_ball(rng, 200, norm=radius(game, 1.0)).float()
    gaps = (objective(game, models) - objective(game.imagined(game.own), models)).abs()
    assert gaps.max() <= given.benign * given.lipschitz * given.distance
    order = torch.tensor(min(permutations(range(6)), key=lambda each: _cost(game.shards[0], game.own[list(each)])))
    true, guessed = (
        step_models(game, models[:, None], drawn=held[:, None].expand(-1, 4, -1), models=torch.zeros(3))
        for held in (game.shards[0], game.own[order])
    )
    assert (true - guessed).norm(dim=2).mean(dim=1).max() <= given.benign * given.lr * (
        given.cross_smoothness * given.distance
    )


def _cost(first, second):
    return float((first - second).norm(dim=1).mean())


def test_the_distance_is_that_of_the_client_farthest_away():
    game = averaging(shards=torch.stack([examples(6, 3), examples(6, 3) + torch.tensor([0.0, 0.3, 0.4])]))
    assert ingredients(game, examples(6, 3)).distance == pytest.approx(0.5, rel=1e-5)


def test_the_distance_of_samples_is_the_cheapest_matching():
    first, second = examples(6, 3), examples(6, 3, seed=1)
    cheapest = min(_cost(first, second[list(order)]) for order in permutations(range(6)))
    assert wasserstein(first, second) == pytest.approx(cheapest, rel=1e-5)
    assert wasserstein(first, first.repeat(3, 1)) == pytest.approx(0, abs=1e-6)


@GAMES
def test_the_domain_holds_all_that_is_played(game):
    plans = torch.from_numpy(stream(3, "plans").choice([-1.0, 1.0], (20, game.rounds, 3))).float()
    places = torch.zeros(game.rounds, 1, game.benign, dtype=torch.int64)
    for each in (game, game.imagined(ESTIMATE)):
        assert finals(each, plans, draws=places).norm(dim=2).max() <= radius(game, longest(game, ESTIMATE))
