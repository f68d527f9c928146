import pytest
import torch

from sparring.arrays import Batch
from sparring.data import ClientShards, CommonShards, Partition
from sparring.errors import ConfigError, DataError, PluginError
from sparring.random import stream
from tests.data.examples import byte_images

CLIENTS = 4
TRAIN = byte_images(20)
ORDER = torch.randperm(20, generator=torch.Generator().manual_seed(0))
SHARDS = ClientShards(TRAIN, Partition(ORDER, torch.tensor([0, 3, 10, 11, 20])))


def ids(inputs: torch.Tensor) -> torch.Tensor:
    """Recover from pixels which examples these are."""
    return (inputs[..., 0, 0, 0] * 255).round().long()


def test_shared_examples_are_spread_evenly_over_what_may_be_read():
    shared = SHARDS.restricted([1, 3]).shared(4)
    held = torch.cat([ORDER[3:10], ORDER[11:20]])
    assert len(shared) == CLIENTS
    for client in range(CLIENTS):
        assert torch.equal(ids(shared[client].inputs), held[[0, 4, 8, 12]])
        assert torch.equal(shared[client].labels, TRAIN.labels[held[[0, 4, 8, 12]]])
    assert torch.equal(ids(shared.shared(2)[0].inputs), held[[0, 8]])


def test_no_more_examples_are_shared_than_there_are():
    assert torch.equal(ids(SHARDS.shared(99)[0].inputs), ORDER)


def streams(*clients: int) -> list:
    return [stream(0, "client", client) for client in clients]


def test_a_shard_is_what_the_partition_says():
    assert len(SHARDS) == CLIENTS
    assert torch.equal(ids(SHARDS[1].inputs), ORDER[3:10])
    assert torch.equal(SHARDS[1].labels, TRAIN.labels[ORDER[3:10]])


def test_pixels_come_in_the_unit_interval():
    everything = SHARDS.draw([3], streams(3), steps=2, size=9)
    for inputs in (SHARDS[3].inputs, everything.inputs):
        assert inputs.dtype == torch.float32
        assert 0 <= inputs.min() <= inputs.max() <= 1


def test_floats_come_as_they_are_and_their_storage_is_left_alone():
    vectors = Batch(torch.arange(20.0).view(20, 1), TRAIN.labels)
    shards = ClientShards(vectors, SHARDS.partition)
    shards[0].inputs.zero_()
    assert torch.equal(shards[1].inputs.flatten().long(), ORDER[3:10])
    assert vectors.inputs[:, 0].tolist() == list(range(20))


def test_a_draw_stacks_the_minibatches_of_all_clients():
    batch = SHARDS.draw([3, 0], streams(3, 0), steps=5, size=2)
    assert batch.inputs.shape == (2, 5, 2, 1, 4, 4)
    assert batch.labels.shape == (2, 5, 2)
    assert torch.equal(batch.labels, TRAIN.labels[ids(batch.inputs)])


def test_clients_draw_from_their_own_shards():
    drawn = ids(SHARDS.draw(range(CLIENTS), streams(*range(CLIENTS)), steps=50, size=1).inputs)
    held = [set(ids(SHARDS[client].inputs).tolist()) for client in range(CLIENTS)]
    assert [set(row.flatten().tolist()) for row in drawn] == held


def test_a_minibatch_no_larger_than_the_shard_repeats_no_example():
    drawn = ids(SHARDS.draw([1], streams(1), steps=20, size=7).inputs)[0]
    assert all(len(set(step.tolist())) == 7 for step in drawn)


def test_a_minibatch_larger_than_the_shard_is_drawn_with_replacement():
    batch = SHARDS.draw([2], streams(2), steps=2, size=8)
    assert (ids(batch.inputs) == ORDER[10]).all()


def test_a_client_draws_the_same_whoever_else_draws():
    alone = SHARDS.draw([1], streams(1), steps=3, size=4)
    among = SHARDS.draw([3, 1, 0], streams(3, 1, 0), steps=3, size=4)
    assert torch.equal(among.inputs[1], alone.inputs[0])


def test_no_client_draws_nothing():
    assert SHARDS.draw([], [], steps=3, size=2).inputs.shape == (0, 3, 2, 1, 4, 4)


def test_every_client_needs_a_generator():
    with pytest.raises(ValueError, match="shorter"):
        SHARDS.draw([0, 1], streams(0), steps=1, size=1)


@pytest.mark.parametrize("client", [-1, CLIENTS])
def test_a_client_that_is_not_there_is_refused(client):
    with pytest.raises(ConfigError, match=f"there is no client {client}; there are 4, from 0"):
        SHARDS[client]


class TestRestricted:
    mine = SHARDS.restricted([0, 2])

    def test_own_shards_are_read_as_before(self):
        assert torch.equal(self.mine[0].inputs, SHARDS[0].inputs)
        drawn = self.mine.draw([2], streams(2), steps=1, size=1)
        assert torch.equal(drawn.inputs, SHARDS.draw([2], streams(2), steps=1, size=1).inputs)

    def test_others_are_refused(self):
        with pytest.raises(PluginError, match="this player may not read client 1; it may read 0, 2"):
            self.mine[1]
        with pytest.raises(PluginError, match="client 3"):
            self.mine.draw([0, 3], streams(0, 3), steps=1, size=1)

    def test_a_view_cannot_be_widened(self):
        with pytest.raises(PluginError, match="client 1"):
            self.mine.restricted([0, 1])

    def test_nobody_may_be_allowed(self):
        with pytest.raises(PluginError, match="it may read none"):
            SHARDS.restricted([])[0]

    def test_clients_that_are_not_there_cannot_be_allowed(self):
        with pytest.raises(ConfigError, match="there is no client 9"):
            SHARDS.restricted([9])


@pytest.mark.parametrize(
    ("order", "offsets", "message"),
    [
        (ORDER[:19], [0, 19], "order of 19 must be a permutation of the 20 examples"),
        (torch.zeros(20, dtype=torch.int64), [0, 20], "must be a permutation"),
        (ORDER - 1, [0, 20], "must be a permutation"),
        (ORDER + 1, [0, 20], "must be a permutation"),
        (ORDER, [1, 20], "offsets must rise from 0 to 20"),
        (ORDER, [0, 19], "offsets must rise from 0 to 20"),
        (ORDER, [0, 5, 5, 20], "by at least 1 for each client"),
    ],
)
def test_a_partition_of_something_else_is_refused(order, offsets, message):
    with pytest.raises(DataError, match=message):
        ClientShards(TRAIN, Partition(order, torch.tensor(offsets)))


class TestCommonShards:
    examples = Batch(torch.tensor([[0], [51], [255]], dtype=torch.uint8), torch.tensor([0, 1, 2]))

    def test_each_client_holds_all_examples(self):
        common = CommonShards(self.examples, 4)
        assert (len(common), common.held(3)) == (4, 3)
        torch.testing.assert_close(common[3].inputs, torch.tensor([[0.0], [0.2], [1.0]]))

    def test_draws_are_independent_and_follow_the_clients_generators(self):
        common = CommonShards(self.examples, 4)
        inputs, labels = common.draw([1, 2], [stream(1), stream(2)], steps=2, size=500)
        assert (inputs.shape, labels.shape) == ((2, 2, 500, 1), (2, 2, 500))
        assert not torch.equal(labels[0], labels[1])
        torch.testing.assert_close(labels.flatten().bincount() / 2000, torch.full((3,), 1 / 3), atol=0.04, rtol=0)
        again = common.draw([2], [stream(2)], steps=2, size=500)
        assert torch.equal(again.labels[0], labels[1])

    def test_everyone_may_read_what_all_hold(self):
        common = CommonShards(self.examples, 4)
        assert common.restricted([1]) is common

    def test_sharing_nothing_is_refused(self):
        with pytest.raises(DataError, match="there are no examples to share; give at least 1"):
            CommonShards(Batch(*(part[:0] for part in self.examples)), 4)
