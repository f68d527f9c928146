from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from sparring.errors import ConfigError
from sparring.learning.distribution import DistributionLearning, learned_mixture, reconstructed
from sparring.learning.distribution.measures import label_error
from tests.learning.distribution.federations import QUICK, examples, held, leaked, scenario


def snapshots(learning=QUICK, *, start=None, seed=0, rounds=20):
    watched = scenario()
    told, own = leaked(watched, rounds), held(watched)
    return list(learning.reconstruct(watched.federation.network, told, own=own, seed=seed, start=start))


def assert_equal(first, second):
    assert first.numbers == second.numbers
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        torch.testing.assert_close(tensor, second.tensors[name], rtol=0, atol=0)


@pytest.fixture(scope="module")
def whole():
    return snapshots()


def test_every_snapshot_has_a_batch_more(whole):
    assert [len(each.tensors["inputs"]) for each in whole] == [8, 16, 24]
    assert [len(each.numbers["notes"]) for each in whole] == [1, 2, 3]
    for earlier, later in pairwise(whole):
        torch.testing.assert_close(later.tensors["labels"][: len(earlier.tensors["labels"])], earlier.tensors["labels"])


@pytest.mark.parametrize("place", [0, 1])
def test_from_any_snapshot_the_same_follows(whole, place):
    (*_, last) = snapshots(start=whole[place])
    assert_equal(last, whole[-1])


def test_a_snapshot_is_left_alone(whole):
    snapshots(start=whole[0])
    assert len(whole[0].tensors["inputs"]) == 8
    assert len(whole[0].numbers["notes"]) == 1


def test_after_the_last_snapshot_nothing_follows(whole):
    assert snapshots(start=whole[-1]) == []


@pytest.mark.parametrize("changed", [{"seed": 1}, {"learning": replace(QUICK, search=replace(QUICK.search, lr=0.2))}])
def test_a_snapshot_of_other_settings_is_no_start(whole, changed):
    with pytest.raises(ConfigError, match=r"distribution: the start has .*; use that"):
        snapshots(start=whole[0], **changed)


def test_the_labels_are_those_of_the_federation():
    learning = replace(QUICK, search=replace(QUICK.search, images=32), batches=10)
    (*_, last) = snapshots(learning, rounds=40)
    learned, uniform = reconstructed(last).labels, torch.arange(4)
    assert label_error(uniform, examples().labels, classes=4) > 0.3
    assert label_error(learned, examples().labels, classes=4) < 0.1


def test_a_diverged_federation_is_noted():
    watched = scenario()
    told = [each._replace(gradient=torch.full_like(each.gradient, torch.nan)) for each in leaked(watched, 20)]
    (*_, last) = QUICK.reconstruct(watched.federation.network, told, own=held(watched), seed=0)
    assert last.numbers["notes"] == ["the gradient is zero or not finite: there was nothing to match"] * 3
    assert torch.isfinite(last.tensors["inputs"]).all()


def test_the_learned_mixture_has_the_attackers_own_examples_too(whole):
    found, own = reconstructed(whole[-1]), held(scenario())
    mixture = learned_mixture(found, own)
    assert len(mixture.labels) == len(mixture.inputs) == 24 + len(own.labels)
    assert mixture.labels.dtype == torch.int64
    torch.testing.assert_close(mixture.inputs[24:], own.inputs)
    torch.testing.assert_close(mixture.labels[:24], whole[-1].tensors["labels"].argmax(dim=1))


def test_less_than_one_is_refused():
    with pytest.raises(ConfigError, match="distribution.batches is 0; it must be at least 1"):
        DistributionLearning(batches=0)
