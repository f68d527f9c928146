import pytest
import torch

from sparring.arrays import Batch
from sparring.data import draw_examples
from sparring.errors import ConfigError
from sparring.learning.distribution import Denoising
from sparring.learning.distribution.observed_training import (
    cleaned_mixture,
    observe_training,
    shared_examples,
)
from sparring.random import stream
from tests.learning.distribution.federations import examples, held, leaked, scenario, states

ROUNDS = 6


@pytest.fixture(scope="module")
def known():
    return observe_training(scenario(), ROUNDS, own=7)


def rows(batch):
    return [(*inputs.flatten().tolist(), label.item()) for inputs, label in zip(*batch, strict=True)]


def test_the_federation_is_known_before_each_round_and_when_the_attack_begins(known):
    straight = states(scenario(), ROUNDS)
    assert [state.round for state in known.states] == list(range(ROUNDS + 1))
    for state, expected in zip(known.states, straight, strict=True):
        assert torch.equal(state.parameters, expected.parameters)


def test_what_was_seen_gives_the_gradients_away_that_lie_between(known):
    expected = leaked(scenario(), ROUNDS)
    assert expected
    assert [leak.round for leak in known.leaks] == [leak.round for leak in expected]
    for leak, other in zip(known.leaks, expected, strict=True):
        assert torch.equal(leak.gradient, other.gradient)


def test_attackers_share_some_of_what_their_clients_hold(known):
    whole = rows(held(scenario()))
    assert len(known.own.labels) == 7
    assert set(rows(known.own)) <= set(whole)


def test_they_share_all_if_it_is_no_more():
    shared = shared_examples(scenario(), 1000)
    assert sorted(rows(shared)) == sorted(rows(held(scenario())))


def test_equal_federations_share_the_same(known):
    assert rows(shared_examples(scenario(), 7)) == rows(known.own)


def test_no_example_is_drawn_twice():
    ten = Batch(torch.arange(10.0)[:, None], torch.arange(10))
    some, all_of_them = (draw_examples(ten, size, rng=stream(0)) for size in (6, 10))
    assert len(set(some.labels.tolist())) == 6
    assert torch.equal(some.inputs.flatten().long(), some.labels)
    assert sorted(all_of_them.labels.tolist()) == list(range(10))


def test_who_has_no_clients_shares_nothing():
    with pytest.raises(
        ConfigError, match="^observed training: there are no malicious clients; use attack.malicious > 0$"
    ):
        shared_examples(scenario(malicious=0), 7)


def test_without_a_round_there_is_nothing_to_witness():
    with pytest.raises(ConfigError, match="^observed training: rounds is 0; it must be at least 1$"):
        observe_training(scenario(), 0, own=7)


@pytest.fixture(scope="module")
def rough():
    """Images that look as if they had been reconstructed."""
    noise = torch.from_numpy(stream(0, "rough").random((5, 1, 6, 6))).float()
    return Batch(noise, torch.tensor([0, 1, 2, 1, 0]))


def mixed(rough, own, is_labeled):
    rng, denoising = stream(0, "denoising"), Denoising(steps=100, width=16, lr=1e-2)
    return cleaned_mixture(rough, own, is_labeled=is_labeled, rng=rng, denoising=denoising)


def test_the_mixture_has_what_was_reconstructed_and_the_own_examples(rough):
    own = examples()
    mixture = mixed(rough, own, is_labeled=True)
    assert torch.equal(mixture.inputs[5:], own.inputs)
    assert torch.equal(mixture.labels, torch.cat([rough.labels, own.labels]))


def test_own_examples_without_labels_only_clean_what_was_reconstructed(rough):
    own = examples()
    mixture = mixed(rough, own, is_labeled=False)
    assert torch.equal(mixture.labels, rough.labels)
    distances = [torch.cdist(each.inputs.flatten(1), own.inputs.flatten(1)).amin(dim=1) for each in (mixture, rough)]
    assert (distances[0] < distances[1]).all()
