from dataclasses import replace

import pytest
import torch

from sparring.arrays import Batch
from sparring.conformance.adversary import logistic
from sparring.contracts import Model
from sparring.defenses import SynthesisActions
from sparring.errors import ConfigError
from sparring.federation import initial_state, play_round
from sparring.games.federated import (
    DefenderObjective,
    DefenderSeat,
    FederatedGame,
    attack_game,
    robust_objective,
    world_model,
)
from sparring.random import stream
from sparring.training import Auto, Sequential, gradient
from tests.federation.backdooring import Lever
from tests.games.federated.playing import EXAMPLES, FIXED, RANGES, action, scenario

MIXTURE = Batch(torch.tensor([[0.1, 0.5, 0.9]]), torch.tensor([1]))


def test_every_client_draws_from_the_mixture():
    imagined = world_model(scenario(), MIXTURE)
    start = initial_state(imagined.federation)
    after, _ = play_round(imagined, start)
    step = 0.05 * gradient(logistic(), start.parameters, batch=MIXTURE)
    torch.testing.assert_close(after.parameters, start.parameters - step)


def test_the_federation_is_otherwise_the_same():
    real = scenario(sampled=4, server_lr=0.5)
    imagined = world_model(real, MIXTURE)
    assert (imagined.federation.clients, imagined.federation.sampled) == (10, 4)
    assert (imagined.federation.server_lr, imagined.defense) == (0.5, real.defense)


def test_a_world_trains_by_the_fastest_backend_unless_another_is_chosen():
    chosen = scenario(backend=Sequential())
    assert world_model(scenario(), MIXTURE).federation.backend == Auto(pooled=True)
    assert world_model(chosen, MIXTURE).federation.backend == Sequential()


def test_the_attackers_game_is_played_by_one_seat():
    game = attack_game(world_model(scenario(), MIXTURE), malicious=4, acting=RANGES, rounds=4)
    state = game.initial(stream(0))
    after = game.transition(state, {"attacker": action(1, 1, -1)}, rng=stream(1))
    assert [*game.seats] == ["attacker"]
    assert game.reward(state, after, seat="attacker") > 0


def test_a_seat_that_may_use_root_data_is_refused_without_them():
    role = DefenderSeat(SynthesisActions(), DefenderObjective(EXAMPLES))
    with pytest.raises(ConfigError, match=r"^defense GradedTrust needs root data; use data\.root_size >= 1$"):
        FederatedGame(scenario(), (FIXED,), {"defender": role}, rounds=2)


class TestRobustObjective:
    def test_it_is_measured_on_triggered_root_data_with_true_labels_and_never_on_test_data(self):
        root, spoiled = EXAMPLES, Batch(EXAMPLES.inputs, 2 - EXAMPLES.labels)
        objectives = [
            robust_objective(replace(scenario().federation, root=root, test=test), [Lever(target=1)])
            for test in (EXAMPLES, spoiled)
        ]
        meant = root.labels != 1
        (triggered,) = objectives[0].triggered
        assert triggered.labels.equal(root.labels[meant])
        assert triggered.inputs[:, 0].eq(1).all()
        model = Model(logistic(), torch.linspace(-1, 1, logistic().size))
        assert objectives[0].value(model) == objectives[1].value(model)

    def test_without_root_data_or_images_that_are_meant_it_is_refused(self):
        federation = scenario().federation
        with pytest.raises(ConfigError, match=r"^a defender's objective needs root data; use data\.root_size >= 1$"):
            robust_objective(federation, [Lever()])
        alike = Batch(EXAMPLES.inputs, torch.full_like(EXAMPLES.labels, 1))
        with pytest.raises(
            ConfigError, match="^the root data have no image that Lever is meant for; use more of them$"
        ):
            robust_objective(replace(federation, root=alike), [Lever(target=1)])


class TestTested:
    def test_models_are_evaluated_on_a_part_of_the_mixture_drawn_once(self):
        worlds = [world_model(scenario(), EXAMPLES, tested=2).federation for _ in range(2)]
        first, second = (world.test for world in worlds)
        assert len(first.labels) == 2
        assert first.inputs.equal(second.inputs)
        assert worlds[0].shards.held(0) == len(EXAMPLES.labels)

    def test_nothing_is_evaluated_on_no_example(self):
        with pytest.raises(ConfigError, match="tested=0; use tested >= 1"):
            world_model(scenario(), MIXTURE, tested=0)
