"""What malicious clients compute."""

from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, ClassVar

import pytest
import torch

from sparring.arrays import Batch, pixels
from sparring.contracts import BlackBoxView, InformedPoison, MinibatchView, Recipe
from sparring.defenses import Mean
from sparring.errors import ConfigError, PluginError
from sparring.federation import Attacker, Scenario, Threat, initial_state, play_round
from sparring.federation.benign_updates import draw_batches
from sparring.federation.malicious_training import OwnTraining
from sparring.training import Sequential, gradient, local_update
from tests.federation.backdooring import Lever
from tests.settings import small_federation

FEDERATION = small_federation(backend=Sequential())
START = initial_state(FEDERATION)
OTHER = Recipe(steps=3, batch=7, lr=0.2)


def own(attacker, clients=(0, 1), federation=FEDERATION):
    return OwnTraining(federation, START, attacker, clients)


def expected(recipe, client, *, project=None, poison=None):
    inputs, labels = draw_batches(FEDERATION, (client,), round=0, recipe=recipe)
    batches = Batch(inputs[0], labels[0])
    if poison is not None:
        flat = poison.triggered(Batch(batches.inputs.flatten(0, 1), batches.labels.flatten()))
        batches = Batch(*(part.unflatten(0, (recipe.steps, recipe.batch)) for part in flat))
    out = torch.empty(FEDERATION.network.size)
    return local_update(FEDERATION.network, START.parameters, batches=batches, lr=recipe.lr, out=out, project=project)


def test_without_a_recipe_of_its_own_an_attacker_trains_as_all_others_do():
    trained = own(Attacker(2))
    assert trained.recipe == FEDERATION.recipe
    assert torch.equal(trained()[1], expected(FEDERATION.recipe, 1))


def test_a_recipe_of_its_own_is_what_an_attacker_trains_by():
    trained = own(Attacker(2, recipe=OTHER))
    assert trained.recipe == OTHER
    assert torch.equal(trained()[1], expected(OTHER, 1))


@pytest.mark.parametrize("epochs", [0.1, 1, 2.5])
def test_an_epoch_is_as_many_steps_as_a_shard_has_minibatches(epochs):
    trained = own(Attacker(2, recipe=OTHER, epochs=epochs))
    for client in (0, 1):
        steps = ceil(epochs * len(FEDERATION.shards[client].labels) / OTHER.batch)
        assert torch.equal(trained()[client], expected(OTHER._replace(steps=steps), client))


def test_shards_of_other_sizes_take_other_numbers_of_steps():
    order, offsets = FEDERATION.shards.partition
    uneven = replace(FEDERATION.shards, partition=type(FEDERATION.shards.partition)(order, offsets.clone()))
    uneven.partition.offsets[1] = 3
    trained = own(Attacker(2, epochs=1.0), federation=replace(FEDERATION, shards=uneven))
    assert uneven.held(0) == 3
    assert trained.recipe.steps == ceil(uneven.held(1) / FEDERATION.recipe.batch) > 1
    assert trained().shape == (2, FEDERATION.network.size)


def test_a_projection_meets_the_poisoned_training_of_each_client():
    attacker = Attacker(2, Lever(), Lever(), recipe=OTHER)

    def half(update):
        return update / 2

    rows = own(attacker)(half)
    assert torch.equal(rows, torch.stack([expected(OTHER, client, project=half, poison=Lever()) for client in (0, 1)]))


def test_training_is_computed_once_but_for_projections():
    asked = []

    @dataclass(frozen=True)
    class Counting(Lever):
        def poison(self, batch, *, client, rng):
            asked.append(client)
            return batch

    trained = own(Attacker(2, Lever(), Counting()))
    assert trained() is trained()
    assert asked == [0, 1]
    assert torch.equal(trained(lambda update: update), trained())
    assert asked == [0, 1, 0, 1]


@dataclass(frozen=True)
class Projecting:
    """Submit training with a projection, and keep the recipe that it was told."""

    project: Any
    seen: list = field(default_factory=list, compare=False)
    needs: ClassVar[type[BlackBoxView]] = BlackBoxView

    def craft(self, view):
        self.seen.append(view.recipe)
        return view.own(self.project)


def played(attacker):
    return play_round(Scenario(FEDERATION, Mean(), [attacker], Threat(assumed_malicious=0.0)), START)


def test_an_attack_is_told_how_its_clients_train():
    attack = Projecting(lambda update: 0 * update)
    _, record = played(Attacker(6, attack, recipe=OTHER))
    assert attack.seen == [OTHER]
    assert set(record.norms[-len(record.malicious) :]) == {0.0}


@pytest.mark.parametrize("poison", [None, Lever()])
@pytest.mark.parametrize(
    ("project", "message"),
    [
        (lambda update: 1 / 0, "attack Projecting raised ZeroDivisionError"),
        (lambda update: None, "attack Projecting returned NoneType; it must return shape"),
        (lambda update: update[1:], r"attack Projecting returned shape \[14\], torch.float32; it must return shape"),
    ],
)
def test_who_projects_badly_is_blamed_and_not_the_poison(project, message, poison):
    with pytest.raises(PluginError, match=message):
        played(Attacker(6, Projecting(project), poison))


def test_a_poison_is_told_whose_data_it_is():
    told = []

    @dataclass(frozen=True)
    class Asking(Lever):
        def poison(self, batch, *, client, rng):
            told.append(client)
            return batch

    _, record = played(Attacker(6, poison=Asking()))
    assert tuple(told) == record.malicious


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0.0}, "attack.local_epochs is 0.0; it must be positive and finite"),
        ({"recipe": OTHER._replace(steps=0)}, "attack.local_steps is 0; it must be at least 1"),
        ({"recipe": OTHER._replace(batch=0)}, "attack.batch is 0; it must be at least 1"),
        ({"recipe": OTHER._replace(lr=float("inf"))}, "attack.lr is inf; it must be positive and finite"),
    ],
)
def test_a_recipe_by_which_nobody_can_train_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Attacker(1, **settings)


@dataclass(frozen=True)
class Informed:
    """A poison that notes what it sees, and darkens its images by the round's η."""

    seen: list[MinibatchView] = field(default_factory=list)

    def poison(self, batch, *, client, rng):
        raise AssertionError("a poison that knows the model is told of it")

    def poison_informed(self, view):
        self.seen.append(view)
        return Batch(view.batch.inputs * (1 - view.eta), view.batch.labels)


def test_an_informed_poison_sees_the_model_each_minibatch_and_the_whole_shard():
    poison = Informed()
    assert isinstance(poison, InformedPoison)
    trained = own(Attacker(2, poison=poison, recipe=OTHER))()
    assert len(poison.seen) == 2 * OTHER.steps
    batches = draw_batches(FEDERATION, (0, 1), round=0, recipe=OTHER)
    for index, view in enumerate(poison.seen):
        client, step = divmod(index, OTHER.steps)
        assert torch.equal(view.parameters, START.parameters)
        assert torch.equal(view.batch.inputs, batches.inputs[client, step])
        assert torch.equal(view.validation.labels, FEDERATION.shards[client].labels)
        assert view.eta == OTHER.lr / OTHER.batch
        held = FEDERATION.shards[client]
        expected_gradient = len(held.labels) * gradient(
            FEDERATION.network, START.parameters, batch=Batch(pixels(held.inputs), held.labels)
        )
        torch.testing.assert_close(view.validation_gradient(), expected_gradient, rtol=1e-4, atol=1e-5)
    darker = Batch(batches.inputs[1] * (1 - OTHER.lr / OTHER.batch), batches.labels[1])
    out = torch.empty(FEDERATION.network.size)
    assert torch.equal(
        trained[1], local_update(FEDERATION.network, START.parameters, batches=darker, lr=OTHER.lr, out=out)
    )


def test_what_an_informed_poison_returns_is_checked():
    @dataclass(frozen=True)
    class Shapeless(Informed):
        def poison_informed(self, view):
            return Batch(view.batch.inputs[:1], view.batch.labels)

    with pytest.raises(PluginError, match=r"poison Shapeless returned inputs of .*; it must keep"):
        own(Attacker(1, poison=Shapeless()), clients=(0,))()
