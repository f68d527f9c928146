import pytest
import torch

from sparring.errors import ConfigError
from sparring.games.exact import finals, loss, objective, radius
from sparring.games.exact.averaging import step_models
from sparring.random import stream
from tests.games.exact.averaging_games import averaging, examples


def draws(game, courses=5, *, seed=0):
    return torch.from_numpy(
        stream(seed, "draws").integers(game.shards.shape[1], size=(game.rounds, courses, game.benign))
    )


def test_the_loss_is_that_of_logistic_regression_with_a_penalty():
    model, inputs, labels = examples(3), examples(6, 3), torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])
    plain = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ model, (labels + 1) / 2)
    torch.testing.assert_close(loss(model, labels[:, None] * inputs, penalty=0.3), plain + 0.15 * model.square().sum())


def test_the_objective_is_the_loss_on_the_data_of_all_clients():
    game, model = averaging(), examples(3)
    clients = [*game.shards, game.own]
    every = torch.stack([loss(model, held, penalty=game.penalty) for held in clients])
    torch.testing.assert_close(objective(game, model), every.mean())


def test_a_round_averages_the_clients_models():
    game, model, sent = averaging(lr=0.4), examples(3), examples(3, seed=2)
    drawn = game.shards[:, 0]
    benign = []
    for example in drawn:
        start = model.clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(start, example[None], penalty=game.penalty), start)
        benign.append(model - game.lr * slope)
    torch.testing.assert_close(
        step_models(game, model, drawn=drawn, models=sent), torch.stack([*benign, sent]).mean(dim=0)
    )


def test_a_course_is_one_round_after_another():
    game = averaging(rounds=2)
    plan, places = examples(2, 3, seed=3), draws(game, courses=1)
    model = torch.zeros(3)
    for action, (chosen,) in zip(plan, places, strict=True):
        drawn = torch.stack([shard[place] for shard, place in zip(game.shards, chosen, strict=True)])
        model = step_models(game, model, drawn=drawn, models=game.reach * action)
    torch.testing.assert_close(finals(game, plan[None], draws=places), model[None, None])


def test_courses_differ_by_chance_alone_and_plans_share_it():
    game = averaging()
    plan = examples(4, 3, seed=3)
    ends = finals(game, torch.stack([plan, plan]), draws=draws(game))
    assert torch.equal(ends[0], ends[1])
    assert len(ends[0].unique(dim=0)) == 5


def test_clients_share_shards_in_turn():
    apart = averaging(shards=examples(2, 6, 3))
    together = averaging(shards=examples(2, 6, 3).repeat(2, 1, 1))
    plans, places = examples(1, 4, 3, seed=3), draws(apart)
    torch.testing.assert_close(finals(apart, plans, draws=places), finals(together, plans, draws=places))


def test_in_an_imagined_game_benign_clients_draw_from_the_estimate():
    game, estimate = averaging(), examples(9, 3, seed=4)
    imagined = game.imagined(estimate)
    model = examples(3)
    known = (1 - game.share) * loss(model, game.own, penalty=game.penalty)
    guessed = game.share * loss(model, estimate, penalty=game.penalty)
    torch.testing.assert_close(objective(imagined, model), guessed + known)
    assert draws(imagined).max() == 8


@pytest.mark.parametrize("settings", [{}, {"lr": 1.0, "penalty": 1.0}, {"penalty": 0.01, "malicious": 3}])
@pytest.mark.parametrize("rounds", [1, 3, 40])
def test_no_model_leaves_the_ball(rounds, settings):
    # All pull the same way: one example for everybody, and malicious models as far out as they can be.
    direction = torch.tensor([1.0, 1.0, 1.0]) / 3**0.5
    game = averaging(shards=direction[None, None], own=direction[None], rounds=rounds, **settings)
    ends = finals(game, torch.ones(1, rounds, 3), draws=torch.zeros(rounds, 1, 4, dtype=torch.int64))
    assert 0.4 * radius(game, 1.0) < ends.norm() <= radius(game, 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"benign": 5}, "averaging.benign is 5; it must be a positive multiple of the 4 shards"),
        ({"malicious": 0}, "averaging.malicious is 0; it must be at least 1"),
        ({"lr": 20.0}, r"averaging: lr \* penalty is 2; it must be above 0, at most 1"),
    ],
)
def test_games_that_cannot_be_played_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        averaging(**settings)
