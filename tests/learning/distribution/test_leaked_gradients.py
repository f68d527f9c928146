from dataclasses import replace

import pytest
import torch

from sparring.contracts import Recipe
from sparring.federation.benign_updates import draw_batches
from sparring.federation.participants import sample_clients
from sparring.inversion import aggregated_gradient
from sparring.learning.distribution import ObservedModel, estimated_gradients, observed_models, step_size
from sparring.training import gradient
from tests.learning.distribution.federations import leaked, scenario, states


def test_a_model_is_seen_where_a_malicious_client_was_sent_it():
    watched = scenario()
    seen = list(observed_models(watched, states(watched, 20)))
    expected = [round for round in range(21) if set(sample_clients(watched.federation, round)) & {0, 1, 2}]
    assert [each.round for each in seen] == expected
    assert 0 < len(seen) < 21


def test_attackers_that_have_not_started_see_as_much():
    early, late = (list(observed_models(each, states(each, 20))) for each in (scenario(), scenario(start=15)))
    assert [each.round for each in early] == [each.round for each in late]


def test_who_has_no_clients_sees_nothing():
    watched = scenario(malicious=0)
    assert list(observed_models(watched, states(watched, 5))) == []


def test_a_leak_is_the_mean_gradient_of_the_rounds_between_two_sightings():
    models = [torch.tensor([value]) for value in (1.0, 0.5, -1.0)]
    seen = [ObservedModel(round, model) for round, model in zip((0, 1, 4), models, strict=True)]
    told = list(estimated_gradients(seen, lr=0.5))
    assert [each.round for each in told] == [0, 1]
    assert [each.parameters.item() for each in told] == [1.0, 0.5]
    assert [each.gradient.item() for each in told] == [1.0, 1.0]


def test_in_consecutive_rounds_a_leak_is_what_the_clients_computed():
    watched = scenario(malicious=10)
    for each in leaked(watched, 3):
        clients = sample_clients(watched.federation, each.round)
        batches = draw_batches(watched.federation, clients, round=each.round)
        drawn = type(batches)(batches.inputs.flatten(0, 2), batches.labels.flatten())
        true = gradient(watched.federation.network, each.parameters, batch=drawn)
        torch.testing.assert_close(each.gradient, true, atol=1e-5, rtol=1e-4)


def test_the_step_size_counts_local_steps_and_the_server():
    federation = replace(scenario().federation, recipe=Recipe(steps=3, lr=0.1), server_lr=0.5)
    assert step_size(federation) == pytest.approx(0.15)


def test_no_gradient_comes_of_a_single_sighting():
    assert list(estimated_gradients([ObservedModel(0, torch.zeros(1))], lr=0.1)) == []


@pytest.mark.parametrize("rounds", [1, 7])
def test_the_rounds_between_sightings_are_counted(rounds):
    before, after = torch.ones(2), torch.zeros(2)
    (told,) = estimated_gradients([ObservedModel(3, before), ObservedModel(3 + rounds, after)], lr=0.1)
    torch.testing.assert_close(told.gradient, aggregated_gradient(before, after, lr=0.1, rounds=rounds))
