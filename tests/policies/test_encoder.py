import numpy as np
import pytest
import torch

from sparring.errors import ConfigError
from sparring.policies.encoder import CountEncoder, FeatureEncoder, random_projection, unpack_encoder
from sparring.policies.network import PolicyNetwork
from sparring.random import stream


def test_the_count_becomes_a_one_hot_of_its_range():
    encoder = CountEncoder((1, 2, 4), 10)
    shares = torch.tensor([[0.0], [0.1], [0.2], [0.3], [0.4], [1.0]])
    assert encoder(shares).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert encoder.size(171) == 3


def test_the_other_numbers_are_standardized_where_that_is_known():
    encoder = CountEncoder((1,), 10, torch.tensor([1.0, 2.0]), torch.tensor([2.0, 0.0]))
    assert encoder(torch.tensor([3.0, 2.0, 0.5])).tolist() == [1, 0, 1]
    assert encoder.size(3) == 3


def test_a_network_acts_on_what_its_encoder_makes_of_the_observation():
    layers = ((torch.tensor([[0.25, -0.5]]), torch.zeros(1)),)
    policy = PolicyNetwork(layers, squash="clip", encoder=CountEncoder((1, 3), 10))
    assert policy.act(np.array([9.0, 0.1], dtype=np.float32)).tolist() == [0.25]
    assert policy.act(np.array([-9.0, 0.4], dtype=np.float32)).tolist() == [-0.5]


@pytest.mark.parametrize("counts", [(), (2, 2), (3, 1), (-1, 2)])
def test_counts_that_do_not_rise_are_refused(counts):
    with pytest.raises(ConfigError, match="it must rise"):
        CountEncoder(counts, 10)


def test_a_mean_without_a_deviation_is_refused():
    with pytest.raises(ConfigError, match="give both or neither"):
        CountEncoder((1,), 10, torch.zeros(2))


SEEN = torch.tensor([[9.0, 9.0, 0.5, -0.25, 0.3], [9.0, 9.0, 0.0, 1.0, 0.1]])


def test_features_and_the_share_are_kept_and_the_model_is_left_out():
    encoder = FeatureEncoder(2)
    assert torch.equal(encoder(SEEN), SEEN[:, 2:])
    assert encoder.size(5) == encoder.size(171) == 3


def test_a_table_takes_the_place_of_the_share():
    encoder = FeatureEncoder(2, CountEncoder((1, 3), 10))
    assert encoder(SEEN).tolist() == [[0.5, -0.25, 0, 1], [0, 1, 1, 0]]
    assert encoder.size(5) == 4


@pytest.mark.parametrize("encoder", [FeatureEncoder(3), FeatureEncoder(0, CountEncoder((1, 3), 10))])
def test_an_encoder_of_features_is_packed(encoder):
    unpacked = unpack_encoder(encoder.pack())
    assert unpacked.pack() == encoder.pack()
    assert torch.equal(unpacked(SEEN), encoder(SEEN))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureEncoder(-1), "encoder.features is -1"),
        (lambda: FeatureEncoder(1, CountEncoder((1,), 10, torch.zeros(1), torch.ones(1))), "encoder.table has a mean"),
    ],
)
def test_an_encoder_of_features_refuses_what_makes_no_sense(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_random_projection_nearly_keeps_distances():
    encoder = random_projection(5000, 64, rng=stream(0, "projection"))
    points = torch.randn(6, 5000, generator=torch.Generator().manual_seed(0))
    shrunk = torch.pdist(encoder(points)) / torch.pdist(points)
    assert (shrunk - 1).abs().max() < 0.4
    assert (encoder.size(5000), encoder.size(4999)) == (64, 0)
    assert torch.equal(unpack_encoder(encoder.pack()).matrix, encoder.matrix)


def test_a_policy_that_projects_names_the_observation_that_it_was_made_for():
    encoder = random_projection(9, 2, rng=stream(0, "projection"))
    policy = PolicyNetwork(((torch.zeros(1, 2), torch.zeros(1)),), encoder=encoder)
    assert policy.fits(9)
    assert not policy.fits(10)
    assert policy.inputs == 9
